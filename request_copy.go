package fastcgi

import (
	"io"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// WriteTo implements io.WriterTo, for io.Copy: the rest of the body goes to w in
// the buffers that it arrived in. It returns what Read would, nil for io.EOF.
func (r *Request) WriteTo(w io.Writer) (int64, error) {
	return r.copyAnnounced(protocol.TypeStdin, &r.stdinLeft, w)
}

// WriteTo implements io.WriterTo.
func (d dataReader) WriteTo(w io.Writer) (int64, error) {
	return d.r.copyAnnounced(protocol.TypeData, &d.r.dataLeft, w)
}

// copyAnnounced copies a stream of which left bytes are still to come.
func (r *Request) copyAnnounced(t protocol.RecordType, left *int64, w io.Writer) (n int64, err error) {
	for *left != 0 {
		piece, buf, err := r.take(t)
		if *left > 0 {
			piece = piece[:min(int64(len(piece)), *left)]
			*left -= int64(len(piece))
		}
		m, writeErr := writeAll(w, piece)
		pool.Put(buf)
		n += int64(m)
		switch {
		case writeErr != nil:
			return n, writeErr
		case err == io.EOF && *left > 0:
			return n, io.ErrUnexpectedEOF
		case err == io.EOF:
			return n, nil
		case err != nil:
			return n, err
		}
	}
	return n, nil
}

// writeAll writes p, if it is something.
func writeAll(w io.Writer, p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n, err := w.Write(p)
	if n < len(p) && err == nil {
		err = io.ErrShortWrite
	}
	return n, err
}

// take waits for a piece of a stream, as read does, and takes it with its buffer,
// which goes back to the pool.
func (r *Request) take(t protocol.RecordType) (piece, buf []byte, err error) {
	x, c := r.x, r.conn
	c.mu.Lock()
	defer c.unlock()
	for {
		in, err := r.readable(t)
		if err != nil {
			return nil, nil, err
		}
		if in.waiting() > 0 || in.over() {
			piece, buf, err = in.take()
			c.consumed(x)
			return piece, buf, err
		}
		r.await(r.readDeadline())
	}
}

// readable returns a stream of the request, or why it can not be read any more.
func (r *Request) readable(t protocol.RecordType) (*input, error) {
	switch x := r.x; {
	case !x.is(r.gen):
		return nil, ErrFinished
	case x.failed != nil:
		return nil, x.failed
	}
	return r.x.inputOf(t), overdue(r.readDeadline())
}
