package gateway_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// complain answers each request after text on STDERR, in records of size bytes.
func complain(text string, size int) func(*fakeapp.Conn) {
	return func(a *fakeapp.Conn) {
		r := a.Request()
		for rest := text; rest != ""; {
			n := min(size, len(rest))
			a.Say(r.Stderr(rest[:n]))
			rest = rest[n:]
		}
		a.Say(r.Stdout("Status: 200\n\nok"), r.End(0, protocol.StatusRequestComplete))
	}
}

// serveOnce asks an application once, through h.
func serveOnce(t *testing.T, h *gateway.Handler, script func(*fakeapp.Conn)) {
	t.Helper()
	c := &client.Client{Addr: fakeapp.Start(t, script)}
	defer c.Close()
	h.Client = c
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 200 || w.Body.String() != "ok" {
		t.Errorf("%d, %q", w.Code, w.Body)
	}
}

// CVE-2024-9026, HAProxy f495d486e: nothing that is written on STDERR can forge a
// log, and nothing is lost, however it is cut.
func TestStderrLog(t *testing.T) {
	long := strings.Repeat("x", 8<<10)
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"plain\n", []string{"plain"}},
		{"no end", []string{"no end"}},
		{"two\nlines\n", []string{"two", "lines"}},
		{"empty\n\nline\n", []string{"empty", "", "line"}},
		{"a\r\nlevel=INFO msg=forged\r\n", []string{`a\r`, `level=INFO msg=forged\r`}},
		{"a\rb\x1b[2Jc\x00d\x07\x7f\te\n", []string{`a\rb\x1b[2Jc\x00d\a\x7f\te`}},
		{`back\slash\n` + "\n", []string{`back\\slash\\n`}},
		{"über, \xff\xfe, \u202e, \u00a0\n", []string{`über, \xff\xfe, \u202e, \u00a0`}},
		{long[1:] + "\n", []string{long[1:]}},
		{long + "\n", []string{long}},
		{long + "y\n", []string{long, "y"}},
		{long + long + "y", []string{long, long, "y"}},
	} {
		for _, size := range []int{1, 3, 1 << 20} {
			if size == 1 && len(tt.text) > len(long) {
				continue // twice eight thousand records say no more than those in threes
			}
			var log lockedBuffer
			h := &gateway.Handler{ErrorLog: slog.New(slog.NewJSONHandler(&log, nil))}
			serveOnce(t, h, complain(tt.text, size))
			if got := logged(t, log.String()); strings.Join(got, "|") != strings.Join(tt.want, "|") {
				t.Errorf("%.60q in pieces of %d: logged %.100q, want %.100q", tt.text, size, got, tt.want)
			}
		}
	}
}

// logged returns what the lines of a JSON log have as stderr.
func logged(t *testing.T, log string) (lines []string) {
	t.Helper()
	for dec := json.NewDecoder(strings.NewReader(log)); ; {
		var line struct{ Stderr string }
		if err := dec.Decode(&line); err == io.EOF {
			return lines
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, line.Stderr)
	}
}

func TestStderrFunc(t *testing.T) {
	var mu sync.Mutex
	var got []string
	h := &gateway.Handler{Stderr: func(r *http.Request, line []byte) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, r.URL.Path+" "+string(line))
	}}
	serveOnce(t, h, complain("one\x1b\r\ntwo", 2))
	if strings.Join(got, "|") != "/ one\x1b\r|/ two" {
		t.Errorf("got %q", got)
	}
}
