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

// bodyless reports whether it is known that there is no body: its end is here, and
// nothing else.
func (r *Request) bodyless() bool {
	x, c := r.x, r.conn
	c.mu.Lock()
	defer c.unlock()
	return x.is(r.gen) && x.stdin.ended && x.stdin.waiting() == 0
}
