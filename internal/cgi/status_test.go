package cgi_test

import (
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// W21: the names of 413, 414, 416 and 422 are RFC 9110's; all others are those of net/http.
func TestW21StatusText(t *testing.T) {
	renamed := map[int]string{413: "Content Too Large", 414: "URI Too Long", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}
	for code := range 1000 {
		want, ok := renamed[code]
		if !ok {
			want = http.StatusText(code)
		}
		if got := cgi.StatusText(code); got != want {
			t.Errorf("%d is %q, want %q", code, got, want)
		}
	}
}

func TestAppendStatus(t *testing.T) {
	for code, want := range map[int]string{
		200: "before Status: 200 OK\r\n", 413: "before Status: 413 Content Too Large\r\n", 404: "before Status: 404 Not Found\r\n", 599: "before Status: 599\r\n",
	} {
		if got := string(cgi.AppendStatus([]byte("before "), code)); got != want {
			t.Errorf("%d: got %q", code, got)
		}
	}
}

func TestBodyAllowed(t *testing.T) {
	for code, want := range map[int]bool{101: false, 199: false, 200: true, 203: true, 204: false, 205: true, 303: true, 304: false, 305: true, 999: true} {
		if got := cgi.BodyAllowed(code); got != want {
			t.Errorf("%d: got %v", code, got)
		}
	}
}
