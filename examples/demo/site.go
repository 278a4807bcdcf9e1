package main

import (
	"embed"
	"encoding/json"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

//go:embed index.html
var page []byte

// source is what the page shows of this program.
//
//go:embed environment.go files.go guests.go routes.go stream.go upload.go
var source embed.FS

// newSite makes the part of the site that is a plain net/http application: the
// page, the source files, the guest book and the figures.
func newSite(srv *fastcgi.Server) http.Handler {
	mux := http.NewServeMux()
	book := &guestBook{}
	mux.HandleFunc("GET /{$}", servePage)
	mux.Handle("GET /source/", http.StripPrefix("/source/", http.FileServerFS(source)))
	mux.HandleFunc("GET /guests", book.list)
	mux.HandleFunc("POST /guests", book.sign)
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, srv.Stats()) })
	return mux
}

func servePage(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; img-src data:")
	_, _ = w.Write(page)
}

func answerJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(v)
}
