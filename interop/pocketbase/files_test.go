package pocketbase_test

import (
	"bytes"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httputil"
	"os"
	"path"
	"strconv"
	"testing"
)

// conditions are header fields of requests for a file: what browsers send for it the first time, again, and in part.
var conditions = []http.Header{
	{},
	{"Accept-Encoding": {"gzip"}},
	{"Range": {"bytes=10-19"}},
	{"Range": {"bytes=-10"}},
	{"Range": {"bytes=0-4,8-9"}},
	{"Range": {"bytes=99999999-"}},
	{"If-Modified-Since": {"Fri, 31 Dec 2100 23:59:59 GMT"}},
	{"If-Modified-Since": {"Mon, 02 Jan 2006 15:04:05 GMT"}},
	{"If-Range": {"Mon, 02 Jan 2006 15:04:05 GMT"}, "Range": {"bytes=10-19"}},
}

// compareFiles asks both sites for every file that they have, and for what they do not have.
func compareFiles(t *testing.T, original, changed site) {
	paths := append(files(t, "testdata/pb_public", "/"), files(t, path.Join(source(t), "ui/dist"), "/_/")...)
	if len(paths) < 50 {
		t.Errorf("there are only %d files: %q", len(paths), paths)
	}
	paths = append(paths, "/", "/_/", "/_", "/nowhere", "/_/nowhere", "/api/nowhere")
	for _, p := range paths {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			for _, condition := range conditions {
				want, got := original.ask(t, method, p, condition), changed.ask(t, method, p, condition)
				if got != want {
					t.Errorf("%s %s %v:\n%.1000q\nwant\n%.1000q", method, p, condition, got, want)
				}
			}
		}
	}
}

// files returns the URLs of the files of a folder.
func files(t *testing.T, dir, prefix string) (paths []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			paths = append(paths, prefix+name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// ask returns status, header and body of an answer, but for what is the web server's own.
func (s site) ask(t *testing.T, method, path string, header http.Header) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := asking.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	resp.Header.Del("Date")
	resp.Header.Del("Server")
	// The name of a status says nothing (RFC 9112 §4): net/http has older ones for 413, 414, 416 and 422.
	resp.Status = strconv.Itoa(resp.StatusCode)
	answer, err := httputil.DumpResponse(resp, true)
	if err != nil {
		t.Fatal(err)
	}
	// What is between the parts is drawn for each answer.
	if _, params, err := mime.ParseMediaType(resp.Header.Get("Content-Type")); err == nil && params["boundary"] != "" {
		answer = bytes.ReplaceAll(answer, []byte(params["boundary"]), []byte("boundary"))
	}
	return string(answer)
}

// asking follows no redirects, decodes nothing, and keeps no connections beyond the test.
var asking = &http.Transport{DisableCompression: true, DisableKeepAlives: true}
