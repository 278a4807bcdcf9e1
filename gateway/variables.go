package gateway

import (
	"cmp"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// site returns what the paths of requests mean.
func (h *Handler) site() cgi.Site {
	return cgi.Site{
		Prefix:          h.Prefix,
		Root:            h.Root,
		ScriptFilename:  h.ScriptFilename,
		Extension:       h.Extension,
		FrontController: h.FrontController,
	}
}

// params returns the variables of the request. length is that of the body, below
// one if there is none, or none that is known.
func (x *exchange) params(target cgi.Target, length int64) []client.Pair {
	out := &cgi.Outgoing{
		Request:  x.r,
		Site:     x.handler.site(),
		Target:   target,
		Software: cmp.Or(x.handler.ServerSoftware, DefaultServerSoftware),
		Host:     x.r.Host,
		URI:      cgi.RequestURI(x.r),
		Remote:   x.r.RemoteAddr,
		HTTPS:    x.r.TLS != nil,
		Length:   length,
		Upgrade:  x.upgrade,
	}
	params := out.Variables()
	if x.handler.Params != nil {
		params = cgi.Replaced(params, x.handler.Params(x.r))
	}
	return cgi.Replaced(params, x.granted)
}
