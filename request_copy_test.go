package fastcgi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// copying is a server that sends the body back, as io.Copy comes by it, and says what that returned.
func copying(to func(io.Writer) io.Writer) *fastcgi.Server {
	return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		var body bytes.Buffer
		n, err := io.Copy(to(&body), r)
		fmt.Fprintf(w, "%d %v %s", n, err, body.Bytes())
	})}
}

func plainly(w io.Writer) io.Writer { return w }

// io.Copy of a request returns what reading it would: all of the body, and why that is too short.
func TestCopyBody(t *testing.T) {
	long := strings.Repeat("0123456789", 50000)
	for _, test := range []struct {
		name, body, length, want string
	}{
		{"none", "", "", "0 <nil> "},
		{"of unknown length", "body", "", "4 <nil> body"},
		{"as long as it says", "body", "4", "4 <nil> body"},
		{"longer than it says", "body and more", "4", "4 <nil> body"},
		{"shorter than it says", "bod", "4", "3 unexpected EOF bod"},
		{"empty instead of long", "", "4", "0 unexpected EOF "},
		{"said to be none", "body", "0", "0 <nil> "},
		{"many buffers", long, strconv.Itoa(len(long)), strconv.Itoa(len(long)) + " <nil> " + long},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				w := p.serve(t, copying(plainly)).dial(t)
				records := [][]byte{start(1, true, httpGet("CONTENT_LENGTH", test.length)...)}
				for rest := test.body; rest != ""; rest = rest[min(len(rest), 60000):] {
					records = append(records, stdin(1, rest[:min(len(rest), 60000)]))
				}
				w.send(append(records, stdinEnd(1))...)
				w.answer(1).expect(t, test.want)
			})
		})
	}
}

// What the writer says ends the copy.
func TestCopyBodyWriter(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		full := func(w io.Writer) io.Writer { return limited{w, 2, errors.New("full")} }
		w := p.serve(t, copying(full)).dial(t)
		w.send(post(1, true, "body"))
		w.answer(1).expect(t, "2 full bo")

		short := func(w io.Writer) io.Writer { return limited{w, 2, nil} }
		w = p.serve(t, copying(short)).dial(t)
		w.send(post(1, true, "body"))
		w.answer(1).expect(t, "2 short write bo")
	})
}

type limited struct {
	w   io.Writer
	n   int
	err error
}

func (l limited) Write(p []byte) (int, error) {
	n, _ := l.w.Write(p[:min(l.n, len(p))])
	return n, l.err
}

// A copy that waits ends with the request.
func TestCopyBodyCancelled(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		result := make(chan error, 1)
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) {
			_, err := io.Copy(io.Discard, r)
			result <- err
			if cause := context.Cause(r.Context()); !errors.Is(err, cause) {
				t.Errorf("the copy ended with %v, cancelled was %v", err, cause)
			}
		})}).dial(t)
		w.send(start(1, true), stdin(1, "part"), abort(1))
		if err := receive(t, result); !errors.Is(err, fastcgi.ErrAborted) {
			t.Errorf("got %v", err)
		}
		w.answer(1)
	})
}
