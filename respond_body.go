package fastcgi

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// A body is what follows the head of a response: text, bytes or a stream.
type body struct {
	text  string
	bytes []byte
	rest  source // nil if there is none
}

func (b body) len() int { return len(b.text) + len(b.bytes) }

// appendTo appends what is no stream to a buffer from the pool.
func (b body) appendTo(buf []byte) []byte {
	return append(append(pool.Grow(buf, b.len()), b.text...), b.bytes...)
}

// close gives up the stream of a body that is not sent.
func (b body) close() {
	if b.rest != nil {
		b.rest.close()
	}
}

// bodyOf returns the body that data stands for.
func bodyOf(code int, mimeType string, data any) (body, error) {
	switch d := data.(type) {
	case nil:
		if code >= 400 && isPlain(mimeType) {
			return body{text: cgi.StatusPage(code)}, nil
		}
		return body{}, nil
	case string:
		return body{text: d}, nil
	case []byte:
		return body{bytes: d}, nil
	case json.RawMessage:
		return body{bytes: d}, nil
	case iter.Seq[[]byte]:
		return streamOf(d)
	case func(func([]byte) bool):
		return streamOf(d)
	case iter.Seq[string]:
		return streamOf(d)
	case func(func(string) bool):
		return streamOf(d)
	case io.Reader:
		return body{rest: &readerSource{r: d}}, nil
	}
	if isJSON(mimeType) && marshals(data) {
		return jsonOf(data)
	}
	if b, ok, err := bodyByKind(reflect.ValueOf(data)); ok || err != nil {
		return b, err
	}
	if !isJSON(mimeType) {
		return body{}, fmt.Errorf("fastcgi: cannot send a %T as %q", data, mimeType)
	}
	return jsonOf(data)
}

// isPlain reports whether the name of a status may be sent as this type.
func isPlain(mimeType string) bool {
	kind, _, _ := strings.Cut(mimeType, ";")
	return mimeType == "" || strings.EqualFold(strings.TrimSpace(kind), "text/plain")
}

func isJSON(mimeType string) bool { return strings.Contains(strings.ToLower(mimeType), "json") }

// marshals reports whether a value has a form of its own in JSON.
func marshals(data any) bool {
	switch data.(type) {
	case json.Marshaler, encoding.TextMarshaler:
		return true
	}
	return false
}

func jsonOf(data any) (body, error) {
	b, err := json.Marshal(data)
	if err != nil {
		return body{}, fmt.Errorf("fastcgi: cannot send a %T as JSON: %w", data, err)
	}
	return body{bytes: b}, nil
}

// bodyByKind returns the body that a value of a named type stands for, if that is
// made of a string, of bytes, or of a sequence of such.
func bodyByKind(v reflect.Value) (b body, ok bool, err error) {
	switch {
	case v.Kind() == reflect.String:
		return body{text: v.String()}, true, nil
	case isBytes(v.Type()):
		return body{bytes: v.Bytes()}, true, nil
	case isSequence(v.Type()):
		if v.IsNil() {
			return body{}, false, errNilSequence
		}
		b, err = streamOf(func(yield func([]byte) bool) {
			for piece := range v.Seq() {
				if !yield(bytesOf(piece)) {
					return
				}
			}
		})
		return b, true, err
	}
	return body{}, false, nil
}

// isBytes reports whether t is a slice of bytes, of whatever name.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}

// isSequence reports whether t is an iter.Seq of strings or slices of bytes, of
// whatever names.
func isSequence(t reflect.Type) bool {
	if !t.CanSeq() || t.Kind() != reflect.Func {
		return false
	}
	piece := t.In(0).In(0)
	return piece.Kind() == reflect.String || isBytes(piece)
}

// bytesOf returns a string or slice of bytes as bytes.
func bytesOf(v reflect.Value) []byte {
	if v.Kind() == reflect.String {
		return []byte(v.String())
	}
	return v.Bytes()
}

var errNilSequence = errors.New("fastcgi: cannot send a sequence that is nil")

// streamOf returns a body made of the pieces of a sequence.
func streamOf[T string | []byte](seq iter.Seq[T]) (body, error) {
	if seq == nil {
		return body{}, errNilSequence
	}
	return body{rest: pull(seq)}, nil
}

// streamPiece is how many bytes of a reader are sent at once.
const streamPiece = 32 << 10

// keepStack keeps the stack of a panic in a sequence, which iter.Pull would lose
// on the way to whoever takes its pieces.
func keepStack() {
	if reason := recover(); reason != nil {
		panic(engine.TracedPanic{Reason: reason, Stack: debug.Stack()})
	}
}

// A source yields a body piece by piece, io.EOF after the last.
type source interface {
	next() ([]byte, error)
	close()
}

// pull makes a source of a sequence.
func pull[T string | []byte](seq iter.Seq[T]) source {
	next, stop := iter.Pull(func(yield func(T) bool) {
		defer keepStack()
		seq(yield)
	})
	return &seqSource[T]{next, stop}
}

type seqSource[T string | []byte] struct {
	pull func() (T, bool)
	stop func()
}

func (s *seqSource[T]) next() ([]byte, error) {
	piece, ok := s.pull()
	if !ok {
		return nil, io.EOF
	}
	return []byte(piece), nil
}

func (s *seqSource[T]) close() { s.stop() }

type readerSource struct {
	r   io.Reader
	buf []byte
}

func (s *readerSource) next() ([]byte, error) {
	if s.buf == nil {
		s.buf = make([]byte, streamPiece)
	}
	for {
		n, err := s.r.Read(s.buf)
		if n > 0 {
			return s.buf[:n], nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (s *readerSource) close() {
	if c, ok := s.r.(io.Closer); ok {
		// The body was read; what closing says changes nothing.
		_ = c.Close()
	}
}

// copyStream sends a stream from a Handler's goroutine.
func copyStream(w ResponseWriter, src source) error {
	defer src.close()
	for {
		piece, err := src.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := w.Write(piece); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
}
