package fastcgi

import (
	"net/http"
	"sync/atomic"
)

// An httpBody is the Body of an http.Request.
type httpBody struct {
	request *Request
	closed  atomic.Bool
}

// Read implements io.Reader.
func (b *httpBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.request.Read(p)
}

// Close implements io.Closer. What was not read is dropped at the end of the
// request.
func (b *httpBody) Close() error {
	b.closed.Store(true)
	return nil
}

// arrived returns the length of the body if all of it is here, else -1.
func (r *Request) arrived() int64 {
	x, c := r.x, r.x.conn
	c.mu.Lock()
	defer c.unlock()
	if x.gen == r.gen && x.stdin.ended {
		return x.stdin.waiting()
	}
	return -1
}
