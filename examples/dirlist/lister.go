package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/simple-fastcgi/fastcgi"
)

// A lister answers with the entries of a directory below root.
type lister struct{ root *os.Root }

// ServeAsync implements fastcgi.AsyncHandler. It must not block, and opening a
// directory may.
func (l lister) ServeAsync(ex fastcgi.Exchange) {
	go l.list(ex)
}

// list answers, or sees to it that a stream does.
func (l lister) list(ex fastcgi.Exchange) {
	dir, err := openDirectory(l.root, ex.Params().Get("PATH_INFO"))
	if err != nil {
		// These fail when the web server is gone: there is nobody left to tell.
		_, _ = fmt.Fprintf(ex.Stderr(), "dirlist: %v\n", err)
		_ = fastcgi.SendResponse(ex, statusOf(err), "text/plain", nil)
		_ = ex.Finish(0)
		return
	}
	s := &stream{ex: ex, dir: dir}
	ex.OnDrain(func() { go s.run() })
	ex.OnAbort(func(error) { go s.stop() })
	// If it fails, so does what the stream writes next.
	_ = fastcgi.SendResponse(ex, 200, "application/x-ndjson", nil)
	s.run()
}

// statusOf returns the status for a directory that can not be opened. It may
// be no directory, or a way out of the root: to a visitor, it is not there.
func statusOf(err error) int {
	if errors.Is(err, fs.ErrPermission) {
		return 403
	}
	return 404
}
