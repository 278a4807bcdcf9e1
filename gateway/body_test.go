package gateway_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// lengths answers with the length that was announced and the one that arrived.
func lengths(r *fakeapp.Request) string {
	return fmt.Sprintf("Status: 200\n\n%s %d", r.Params["CONTENT_LENGTH"], len(r.Stdin))
}

func TestSpoolLimits(t *testing.T) {
	const memory, limit = 1000, 5000
	for _, tt := range []struct {
		size   int
		status int
	}{
		{1, 200},
		{memory - 1, 200},
		{memory, 200},
		{memory + 1, 200},
		{limit - 1, 200},
		{limit, 200},
		{limit + 1, 413},
		{100 * limit, 413},
	} {
		dir := t.TempDir()
		f := scripted(t, &gateway.Handler{SpoolMemory: memory, SpoolLimit: limit, SpoolDir: dir}, lengths)
		resp, body, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", tt.size))))
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%d bytes: %v, %v", tt.size, resp, err)
			continue
		}
		if want := fmt.Sprintf("%d %d", tt.size, tt.size); tt.status == 200 && body != want {
			t.Errorf("%d bytes: the application got %q", tt.size, body)
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d bytes: %v is left", tt.size, left)
		}
	}
}

// Below zero SpoolLimit is none; that of memory stands.
func TestSpoolWithoutLimit(t *testing.T) {
	dir := t.TempDir()
	f := scripted(t, &gateway.Handler{SpoolMemory: 1000, SpoolLimit: -1, SpoolDir: dir}, lengths)
	resp, body, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", 100000))))
	if err != nil || resp.StatusCode != 200 || body != "100000 100000" {
		t.Errorf("%v, %v; the application got %q", resp, err, body)
	}
}

// Up to SpoolMemory no file is made: there is no directory for one.
func TestSpoolMemoryNeedsNoDisk(t *testing.T) {
	for _, tt := range []struct {
		memory int64
		size   int
		status int
	}{
		{0, gateway.DefaultSpoolMemory - 1, 200},
		{0, gateway.DefaultSpoolMemory, 200},
		{0, gateway.DefaultSpoolMemory + 1, 500},
		{10, 10, 200},
		{10, 11, 500},
		{-1, 3 * gateway.DefaultSpoolMemory, 200},
		{math.MaxInt64, 3 * gateway.DefaultSpoolMemory, 200},
	} {
		f := scripted(t, &gateway.Handler{SpoolMemory: tt.memory, SpoolDir: "/nowhere"}, lengths)
		resp, _, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", tt.size))))
		if err != nil || resp.StatusCode != tt.status {
			t.Errorf("%d bytes: %v, %v", tt.size, resp, err)
		}
	}
}

// What the client's body does wrong is the client's fault.
func TestBrokenBodies(t *testing.T) {
	for _, tt := range []struct {
		name   string
		body   io.Reader
		length int64
		status int
	}{
		{"spooled, in memory", iotest.ErrReader(io.ErrUnexpectedEOF), -1, 400},
		{"spooled, in a file", io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<17)), iotest.ErrReader(io.ErrUnexpectedEOF)), -1, 400},
		{"spooled, too large for a MaxBytesHandler", http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("xxx")), 2), -1, 413},
		{"streamed, too large for a MaxBytesHandler", http.MaxBytesReader(nil, io.NopCloser(strings.NewReader("xxx")), 2), 3, 413},
		{"streamed", iotest.ErrReader(io.ErrUnexpectedEOF), 3, 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &gateway.Handler{}
			newFront(t, h, fakeapp.Start(t, func(a *fakeapp.Conn) { a.Request() }))
			r := httptest.NewRequest("POST", "/", tt.body)
			r.ContentLength = tt.length
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
		})
	}
}

func TestStreamBody(t *testing.T) {
	f := scripted(t, &gateway.Handler{StreamBody: true}, lengths)
	_, body, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", 1<<20))))
	if err != nil || body != " 1048576" {
		t.Errorf("the application got %q, %v", body, err)
	}
}

// answering echoes STDIN as it arrives.
func answering(a *fakeapp.Conn) {
	r := a.Begin()
	a.Say(r.Stdout("Content-Type: text/plain\n\n"))
	for {
		ev, err := a.Next()
		switch {
		case err != nil:
			return
		case ev.End:
			a.Say(r.Answer(""))
			return
		case ev.Type == protocol.TypeStdin:
			a.Say(r.Stdout(string(ev.Data)))
		}
	}
}

// C15: the answer flows while the body is still being sent, on HTTP/1.1 and 2,
// with and without a length.
func TestC15FullDuplex(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		for _, length := range []int64{4, -1} {
			t.Run(fmt.Sprintf("HTTP/2 %v, length %d", h2, length), func(t *testing.T) {
				f := newFront(t, &gateway.Handler{StreamBody: true}, fakeapp.Start(t, answering))
				s := httptest.NewUnstartedServer(f.Config.Handler)
				s.EnableHTTP2 = h2
				s.StartTLS()
				defer s.Close()
				converse(t, s, length)
			})
		}
	}
}

// converse sends a byte, waits for it to come back, and so on.
func converse(t *testing.T, s *httptest.Server, length int64) {
	t.Helper()
	ours, theirs := io.Pipe()
	defer theirs.Close()
	r, err := http.NewRequestWithContext(t.Context(), "POST", s.URL, ours)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = length
	resp, err := s.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 1)
	for i, c := range "abcd" {
		io.WriteString(theirs, string(c))
		if i == 3 {
			// The HTTP/2 client sends the last byte once it has seen that it is.
			theirs.Close()
		}
		if _, err := io.ReadFull(resp.Body, buf); err != nil || buf[0] != byte(c) {
			t.Fatalf("sent %c, got %q, %v", c, buf, err)
		}
	}
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}

// C15: an application may answer without reading. What the client still sends of
// its body must not become its next request.
func TestC15EarlyAnswer(t *testing.T) {
	const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, sent := range map[string]string{
		"nothing":  "",
		"a part":   "xxxx",
		"a lot":    strings.Repeat("x", 1<<20),
		"the last": smuggled,
	} {
		for _, withDelay := range []time.Duration{0, 20 * time.Millisecond} {
			t.Run(name, func(t *testing.T) {
				t.Parallel() // each takes as long as the gateway lingers
				f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, func(a *fakeapp.Conn) {
					r := a.Begin()
					if r.Params["PATH_INFO"] != "/" {
						t.Errorf("the application was asked for %s", r.Params["PATH_INFO"])
					}
					a.Say(r.Answer("Status: 413\nContent-Length: 2\n\nno"))
				}))
				nc, err := net.Dial("tcp", f.Listener.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer nc.Close()
				head := "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + strconv.Itoa(len(sent)+100) + "\r\n\r\n"
				if _, err := io.WriteString(nc, head); err != nil {
					t.Fatal(err)
				}
				br := bufio.NewReader(nc)
				if withDelay == 0 {
					io.WriteString(nc, sent)
				}
				resp, err := http.ReadResponse(br, nil)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(resp.Body)
				if resp.StatusCode != 413 || string(body) != "no" || err != nil || !resp.Close {
					t.Errorf("%d, %q, %v, close %v", resp.StatusCode, body, err, resp.Close)
				}
				if withDelay != 0 {
					io.WriteString(nc, sent)
				}
				rest, err := io.ReadAll(br)
				if len(rest) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
					t.Errorf("then %q, %v", rest, err)
				}
			})
		}
	}
}

// C15: nor is a file read that is closed, when the answer to a spooled body comes before all of it was sent.
func TestC15EarlyAnswerToSpooledBody(t *testing.T) {
	f := newFront(t, &gateway.Handler{SpoolMemory: 1000}, fakeapp.Start(t, func(a *fakeapp.Conn) {
		a.Say(a.Begin().Answer("Status: 413\nContent-Length: 2\n\nno"))
	}))
	for range 20 {
		resp, body, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", 1<<20))))
		if err != nil || resp.StatusCode != 413 || body != "no" {
			t.Fatalf("%v, %q, %v", resp, body, err)
		}
	}
}

// After a body that was read to its end, the connection serves on.
func TestConnectionServesOn(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, echo)
	for i := range 20 {
		body := strings.Repeat("x", i*1000)
		resp, got, err := f.do(t, f.request(t, "POST", "/", strings.NewReader(body)))
		if err != nil || got != body || resp.Close {
			t.Fatalf("%v, %v", resp, err)
		}
	}
}
