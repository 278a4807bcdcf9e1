package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/simple-fastcgi/fastcgi"
)

// A lister answers with the entries of a directory below its root, or, if that is
// empty, below the request's DOCUMENT_ROOT.
type lister struct{ root string }

// ServeAsync implements fastcgi.AsyncHandler. It must not block, and opening a
// directory may.
func (l lister) ServeAsync(ex fastcgi.Exchange) {
	go l.list(ex)
}

// list answers, or sees to it that a stream does.
func (l lister) list(ex fastcgi.Exchange) {
	dir, err := l.open(ex.Params())
	if err != nil {
		// These fail when the web server is gone: there is nobody left to tell.
		// The error has the client's path in it, so it is quoted. Why there is no
		// list is not the visitor's to know.
		_, _ = fmt.Fprintf(ex.Stderr(), "dirlist: %q\n", err.Error())
		_ = fastcgi.SendResponse(ex, 404, "text/plain", nil)
		_ = ex.Finish(0)
		return
	}
	// If it fails, so does what is written next.
	_ = fastcgi.SendResponse(ex, 200, "application/x-ndjson", nil)
	s := &stream{ex: ex, dir: dir}
	if ex.Params().Get("REQUEST_METHOD") == http.MethodHead {
		s.stop()
		return
	}
	ex.OnDrain(func() { go s.run() })
	ex.OnAbort(func(error) { go s.stop() })
	s.run()
}

// open opens the directory that a request asks for.
func (l lister) open(params fastcgi.Params) (*directory, error) {
	query := params.Get("QUERY_STRING")
	// The pairs that can be read are there even if there is an error.
	values, _ := url.ParseQuery(query)
	path := cmp.Or(values["path"]...)
	if path == "" {
		return nil, fmt.Errorf("query %q has no path", query)
	}
	return openDirectory(cmp.Or(l.root, params.Get("DOCUMENT_ROOT")), path)
}
