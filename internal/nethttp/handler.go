package nethttp

import (
	"net/http"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/engine"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Handler answers FastCGI requests with an http.Handler.
type Handler struct {
	handler http.Handler
	server  *http.Server // for http.ServerContextKey; it serves nothing
	dates   dateLine
}

// NewHandler returns the Handler around h; nil means http.DefaultServeMux.
func NewHandler(h http.Handler) *Handler {
	if h == nil {
		h = http.DefaultServeMux
	}
	return &Handler{handler: h, server: &http.Server{Handler: h}}
}

// An Incoming is a FastCGI request that is to be served.
type Incoming struct {
	Call   *engine.Call // nil for a request that no server made
	ID     uint16
	Role   protocol.Role
	Params *protocol.Pairs // file names lose Apache's prefix in them
	Owner  any             // what Owner returns for it
}

// A Writer is what the response is written to: a CGI response.
type Writer interface {
	Write(p []byte) (int, error)
	Flush() error
	SetAppStatus(status uint32)
}

// A call is a request of an http.Handler: one allocation for all that it needs.
type call struct {
	in       Incoming
	context  requestContext
	cgi      cgi.Request
	body     body
	response response
}

// Serve answers a request.
func (h *Handler) Serve(w Writer, in Incoming) {
	c := &call{in: in}
	c.body.call = in.Call
	c.response = response{w: w, in: &c.in, dates: &h.dates, length: -1}
	ref := engine.RefOf(in.Call)
	c.context = requestContext{call: c, server: h.server, base: ref.Base()}
	req, err := c.fill()
	if err != nil {
		ref.Complain("not an HTTP request", "error", err, "request", in.ID)
		// That it cannot be sent means that nobody waits for it.
		_, _ = w.Write(cgi.AppendErrorPage(nil, http.StatusBadRequest))
		return
	}
	c.response.isHead = req.Method == http.MethodHead
	h.handler.ServeHTTP(&c.response, req)
	c.response.finish()
	c.body.closed.Store(true)
	if req.MultipartForm != nil {
		if err := req.MultipartForm.RemoveAll(); err != nil {
			ref.Warn("cannot remove the files of a form", "error", err)
		}
	}
}

// fill makes the call's http.Request.
func (c *call) fill() (*http.Request, error) {
	variables, err := c.cgi.Fill(&c.context, *c.in.Params)
	*c.in.Params = variables
	if err != nil {
		return nil, err
	}
	c.body.announce(&c.cgi.HTTP)
	return &c.cgi.HTTP, nil
}
