package main

import (
	"os"

	"github.com/simple-fastcgi/fastcgi"
)

// newServer makes a server of which each path has the kind of handler that
// suits it.
func newServer(files *os.Root) *fastcgi.Server {
	srv := &fastcgi.Server{}
	srv.AsyncHandler = routes{
		paths: map[string]fastcgi.AsyncHandler{
			"/environment": fastcgi.Async(fastcgi.HandlerFunc(environment)),
			"/upload":      fastcgi.AsyncHandlerFunc(upload),
			"/stream":      fastcgi.AsyncHandlerFunc(stream),
			"/files":       lister{files},
		},
		rest: fastcgi.Async(fastcgi.HTTP(newSite(srv))),
	}
	return srv
}

// routes hands requests on by their path.
type routes struct {
	paths map[string]fastcgi.AsyncHandler
	rest  fastcgi.AsyncHandler
}

// ServeAsync implements fastcgi.AsyncHandler.
func (r routes) ServeAsync(ex fastcgi.Exchange) {
	p := ex.Params()
	// Web servers divide the path in different ways; together it is whole.
	h, ok := r.paths[p.Get("SCRIPT_NAME")+p.Get("PATH_INFO")]
	if !ok {
		h = r.rest
	}
	h.ServeAsync(ex)
}
