package interop_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strings"
	"testing/fstest"
	"time"
)

const typeOfName = "Apache guesses the type from the name in the URL, if there is none"

// handlerCases are handlers of net/http's, and responses that its functions make.
var handlerCases = []httpCase{
	{name: "error", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		http.Error(w, "no", http.StatusTeapot)
		return nil
	}},
	{name: "not found", handler: serveAs(http.NotFoundHandler())},
	{name: "redirect", uri: "/a/b", handler: serveAs(http.RedirectHandler("c?d", http.StatusSeeOther))},
	{name: "redirect of a POST", method: "POST", body: "a", handler: serveAs(http.RedirectHandler("/b", http.StatusTemporaryRedirect))},
	{name: "redirect of HEAD", method: "HEAD", handler: serveAs(http.RedirectHandler("/b", http.StatusFound))},
	{name: "redirect elsewhere", handler: serveAs(http.RedirectHandler("https://example.org/?a=b&c", http.StatusMovedPermanently))},
	{name: "redirect to bytes", handler: serveAs(http.RedirectHandler("/größe", http.StatusPermanentRedirect))},
	{name: "mux", uri: "/dir/a", handler: serveAs(testMux())},
	{name: "mux, slash missing", uri: "/dir?a=b", handler: serveAs(testMux())},
	{name: "mux with a pattern", uri: "/item/a%2Fb", handler: serveAs(testMux())},
	{name: "mux with a rest", uri: "/rest/a/b%20c/", handler: serveAs(testMux())},
	{name: "mux with a method", method: "DELETE", uri: "/item/a", handler: serveAs(testMux())},
	{name: "mux with a host", uri: "/hosted", handler: serveAs(testMux())},
	{name: "mux, HEAD for GET", method: "HEAD", uri: "/item/a", handler: serveAs(testMux())},
	{name: "mux, not found", uri: "/nowhere", handler: serveAs(testMux())},
	{name: "mux cleaning", uri: "/dir/../item//a", handler: serveAs(testMux())},
	{name: "strip prefix", uri: "/app/a.txt", handler: serveAs(http.StripPrefix("/app", http.FileServerFS(testFiles)))},
	{name: "strip prefix, not found", uri: "/b", handler: serveAs(http.StripPrefix("/app", http.FileServerFS(testFiles)))},
	{name: "in time", handler: serveAs(http.TimeoutHandler(http.HandlerFunc(look), time.Minute, "late"))},
	{name: "timeout", handler: serveAs(http.TimeoutHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), time.Millisecond, "late"))},
	{name: "max bytes", method: "POST", body: "abcdef", handler: serveAs(http.MaxBytesHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, err)
	}), 3))},
	{name: "allow query semicolons", uri: "/?a;b", handler: serveAs(http.AllowQuerySemicolons(http.HandlerFunc(look)))},
	{name: "template", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		return []any{template.Must(template.New("").Parse("<!DOCTYPE html><p>{{.}}")).Execute(w, "a & b")}
	}},
	{name: "JSON encoded", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		return []any{json.NewEncoder(w).Encode(map[string]int{"a": 1})}
	}},
	{name: "cookies set", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b c", HttpOnly: true, Path: "/", SameSite: http.SameSiteLaxMode})
		http.SetCookie(w, &http.Cookie{Name: "d", MaxAge: -1})
		return nil
	}},
}

func testMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /item/{id}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, r.PathValue("id"), r.Pattern)
	})
	mux.HandleFunc("/rest/{rest...}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.PathValue("rest")) })
	mux.HandleFunc("example.com/hosted", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, r.Host) })
	mux.HandleFunc("/dir/", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "dir") })
	return mux
}

var longAgo = time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)

var testFiles = fstest.MapFS{
	"a.txt":          {Data: []byte("abcdefgh\n"), ModTime: longAgo},
	"dir/index.html": {Data: []byte("<p>index"), ModTime: longAgo},
	"long":           {Data: bytes.Repeat([]byte("\x00abc"), 50_000), ModTime: longAgo},
}

// serveFiles is the handler of what is about files.
var serveFiles = serveAs(http.FileServerFS(testFiles))

// fileCases are about files: types, ranges and conditions.
var fileCases = []httpCase{
	{name: "file", uri: "/a.txt", handler: serveFiles},
	{name: "file list", uri: "/", handler: serveFiles},
	{name: "file missing", uri: "/b.txt", handler: serveFiles},
	{name: "folder without a slash", uri: "/dir", handler: serveFiles},
	{name: "folder with an index", uri: "/dir/", handler: serveFiles},
	{name: "index by its name", uri: "/dir/index.html", handler: serveFiles, differs: []difference{{"apache", "Content-Type", typeOfName}}},
	{name: "path out of the folder", uri: "/../../etc/passwd", handler: serveFiles, differs: []difference{
		{"nginx apache", "response", "they refuse a path above the root"}, {"nginx apache", "notes", "as above"},
	}},
	{name: "long file", uri: "/long", handler: serveFiles},
	{name: "HEAD of a file", method: "HEAD", uri: "/a.txt", handler: serveFiles},
	{name: "HEAD of a long file", method: "HEAD", uri: "/long", handler: serveFiles},
	{name: "range", uri: "/a.txt", header: http.Header{"Range": {"bytes=1-2"}}, handler: serveFiles},
	{name: "range of a long file", uri: "/long", header: http.Header{"Range": {"bytes=1000-150000"}}, handler: serveFiles},
	{name: "range at the end", uri: "/a.txt", header: http.Header{"Range": {"bytes=-3"}}, handler: serveFiles},
	{name: "range beyond the end", uri: "/a.txt", header: http.Header{"Range": {"bytes=9-"}}, handler: serveFiles},
	{name: "ranges", uri: "/a.txt", header: http.Header{"Range": {"bytes=0-1,3-4"}}, handler: serveFiles},
	{name: "HEAD of a range", method: "HEAD", uri: "/a.txt", header: http.Header{"Range": {"bytes=1-2"}}, handler: serveFiles},
	{name: "not modified since", uri: "/a.txt", header: http.Header{"If-Modified-Since": {longAgo.Format(http.TimeFormat)}}, handler: serveFiles},
	{name: "modified since", uri: "/a.txt", header: http.Header{"If-Modified-Since": {longAgo.Add(-time.Hour).Format(http.TimeFormat)}}, handler: serveFiles},
	{name: "unmodified since", uri: "/a.txt", header: http.Header{"If-Unmodified-Since": {longAgo.Add(-time.Hour).Format(http.TimeFormat)}}, handler: serveFiles, differs: []difference{{"apache", "Content-Type", typeOfName}}},
	{name: "range if unmodified", uri: "/a.txt", header: http.Header{"Range": {"bytes=1-2"}, "If-Range": {longAgo.Format(http.TimeFormat)}}, handler: serveFiles},
	{name: "entity tag", handler: serveTagged},
	{name: "entity tag that the client has", header: http.Header{"If-None-Match": {`"x", "tag"`}}, handler: serveTagged},
	{name: "entity tag that the client wants", header: http.Header{"If-Match": {`"other"`}}, handler: serveTagged},
	{name: "file by the response writer", handler: func(w http.ResponseWriter, r *http.Request) []any {
		http.ServeFileFS(w, r, testFiles, "a.txt")
		return nil
	}},
}

func serveTagged(w http.ResponseWriter, r *http.Request) []any {
	w.Header().Set("Etag", `"tag"`)
	http.ServeContent(w, r, "a.css", longAgo, strings.NewReader("p { color: red }"))
	return nil
}

// middlewareCases are what is put around handlers.
var middlewareCases = []httpCase{
	{name: "compressed", header: http.Header{"Accept-Encoding": {"gzip"}}, handler: serveAs(compress(http.HandlerFunc(writePage)))},
	{name: "not compressed", handler: serveAs(compress(http.HandlerFunc(writePage)))},
	{name: "compressed and flushed", header: http.Header{"Accept-Encoding": {"gzip"}}, handler: serveAs(compress(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writePage(w, r)
		if err := http.NewResponseController(w).Flush(); err != nil {
			fmt.Fprint(w, err)
		}
		writePage(w, r)
	})))},
	{name: "counted", handler: func(w http.ResponseWriter, r *http.Request) []any {
		counting := &countingWriter{ResponseWriter: w}
		writePage(counting, r)
		return []any{counting.status, counting.n}
	}},
	{name: "recovered", handler: func(w http.ResponseWriter, _ *http.Request) (notes []any) {
		defer func() {
			notes = []any{recover()}
			http.Error(w, "sorry", http.StatusInternalServerError)
		}()
		panic("oops")
	}},
	{name: "preflight", method: "OPTIONS", header: http.Header{"Origin": {"https://example.org"}, "Access-Control-Request-Method": {"PUT"}}, handler: func(w http.ResponseWriter, r *http.Request) []any {
		w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		w.Header().Set("Access-Control-Allow-Methods", r.Header.Get("Access-Control-Request-Method"))
		w.Header().Add("Vary", "Origin")
		w.WriteHeader(http.StatusNoContent)
		return nil
	}},
}

func writePage(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusAccepted)
	io.WriteString(w, strings.Repeat("<p>paragraph</p>\n", 500))
}

// compress is a middleware as many write it by hand.
func compress(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept-Encoding")
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Type", "text/html")
		z := gzip.NewWriter(w)
		defer z.Close()
		h.ServeHTTP(&gzipWriter{w, z}, r)
	})
}

type gzipWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w *gzipWriter) Write(p []byte) (int, error) { return w.z.Write(p) }

func (w *gzipWriter) FlushError() error {
	if err := w.z.Flush(); err != nil {
		return err
	}
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// countingWriter is what writers of access logs put around a response.
type countingWriter struct {
	http.ResponseWriter
	status, n int
}

func (w *countingWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *countingWriter) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.n += n
	return n, err
}

func (w *countingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
