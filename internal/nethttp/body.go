package nethttp

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An body is the Body of an http.Request.
type body struct {
	call   *engine.Call
	closed atomic.Bool
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.call.Read(protocol.TypeStdin, p)
}

// WriteTo implements io.WriterTo.
func (b *body) WriteTo(w io.Writer) (int64, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	return b.call.WriteTo(protocol.TypeStdin, w)
}

// Close implements io.Closer. What was not read is dropped at the end of the
// request.
func (b *body) Close() error {
	b.closed.Store(true)
	return nil
}

// announce gives r the body, and its length if CONTENT_LENGTH does not tell, which
// is -1 also if the whole of it happens to be here.
//
// Apache sends the end of a body that there is not by itself, and it may arrive
// later than the handler begins. So where a body is unusual there is none, unless
// some of it is here. Should it come after all, a handler that reads finds it,
// but for what a client says in another protocol after an upgrade.
func (b *body) announce(r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	r.Body = b
	if r.ContentLength > 0 {
		return
	}
	switch n, ended := b.call.Arrived(); {
	case n > 0, !ended && cgi.MayHaveBody(r.Method):
	case ended, r.Header["Upgrade"] != nil:
		r.ContentLength, r.Body = 0, http.NoBody
	default:
		r.ContentLength = 0
	}
}
