package cgi_test

import (
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// W21: the names of 413 and 422 are RFC 9110's; all others are those of net/http.
func TestW21StatusText(t *testing.T) {
	renamed := map[int]string{413: "Content Too Large", 422: "Unprocessable Content"}
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
