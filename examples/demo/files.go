package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"net/url"
	"os"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
)

// A lister lists directories below root, a JSON object a line. It is an
// AsyncHandler that leaves what may block, the disk, to a goroutine, and gives
// the answer as a sequence, which is sent as fast as the web server takes it.
type lister struct{ root *os.Root }

// ServeAsync implements fastcgi.AsyncHandler.
func (l lister) ServeAsync(ex fastcgi.Exchange) {
	go func() {
		// What fails in these is sending to a web server that is gone.
		entries, err := l.read(ex.Params().Get("QUERY_STRING"))
		switch {
		case errors.Is(err, fs.ErrPermission):
			_ = fastcgi.SendResponse(ex, 403, "text/plain", nil)
		case err != nil:
			_ = fastcgi.SendResponse(ex, 404, "text/plain", nil)
		default:
			_ = fastcgi.SendResponse(ex, 200, "application/x-ndjson", lines(entries))
		}
		_ = ex.Finish(0)
	}()
}

// An entry is a line of the list.
type entry struct {
	Name string `json:"name"`
	Dir  bool   `json:"dir"`
	Size int64  `json:"size"`
}

// read reads the directory that a query's path names. No path leads out of the
// root.
func (l lister) read(query string) ([]entry, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	path := q.Get("path")
	if path == "" {
		path = "."
	}
	found, err := fs.ReadDir(l.root.FS(), path)
	entries := make([]entry, 0, len(found))
	for _, e := range found {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue // it was removed meanwhile, or is not meant to be seen
		}
		entries = append(entries, entry{e.Name(), e.IsDir(), info.Size()})
	}
	return entries, err
}

func lines(entries []entry) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for _, e := range entries {
			line, err := json.Marshal(e)
			if err != nil || !yield(append(line, '\n')) {
				return
			}
		}
	}
}
