//go:build linux

package caller

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

// inMemory is how long a body may be that is in memory as a whole.
const inMemory = harness.MiB

var piece = webhandler.Pattern(inMemory)

// NewBody returns a request's body, nil if it has none: one that is all in memory
// or, if it is too long for that, one that is made as it is read.
func (t *Task) NewBody() io.Reader {
	switch {
	case t.Body == 0:
		return nil
	case t.Body <= inMemory:
		return bytes.NewReader(piece[:t.Body])
	}
	return io.LimitReader(new(endless), t.Body)
}

// Endless reads as piece, again and again.
type endless struct{ at int }

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, piece[e.at:])
	e.at = (e.at + n) % len(piece)
	return n, nil
}

// Params are the parameters of each request.
func (t *Task) Params() [][2]string { return harness.Params("/srv/app/hello.php", "", t.Body) }

// ParamMap is Params for clients that want a map.
func (t *Task) ParamMap() map[string]string {
	m := make(map[string]string)
	for _, p := range t.Params() {
		m[p[0]] = p[1]
	}
	return m
}

// NewRequest returns a request for clients that take net/http's. Without a body,
// client.Transport makes 20 parameters of it, and Caddy's transport 30.
func (t *Task) NewRequest() (*http.Request, error) {
	method, body := http.MethodGet, t.NewBody()
	if body != nil {
		method = http.MethodPost
	}
	r, err := http.NewRequest(method, "http://localhost"+harness.RequestURI(""), body)
	if err != nil {
		return nil, err
	}
	r.RemoteAddr = "127.0.0.1:54321"
	r.Header.Set("User-Agent", harness.UserAgent)
	r.Header.Set("Accept", harness.Accept)
	r.Header.Set("Accept-Language", "en-GB,en;q=0.7,de;q=0.3")
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	r.Header.Set("Referer", "http://localhost/")
	r.Header.Set("Cookie", "session=0123456789abcdef")
	if body != nil {
		r.ContentLength = t.Body
		r.Header.Set("Content-Length", fmt.Sprint(t.Body))
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	return r, nil
}

// TakeCGI gives an answer what r reads: a CGI response.
func TakeCGI(a *harness.Answer, r io.Reader, buf []byte) error {
	_, err := io.CopyBuffer(taking(a.CGI), r, buf)
	return err
}

// TakeResponse gives an answer the body of a response, and closes it.
func TakeResponse(a *harness.Answer, resp *http.Response, buf []byte) error {
	defer resp.Body.Close()
	a.NoHeader()
	if resp.StatusCode != http.StatusOK {
		a.Fail("its status is %d", resp.StatusCode)
	}
	_, err := io.CopyBuffer(taking(a.Body), resp.Body, buf)
	return err
}

// BufferSize is that of the buffers for TakeCGI and TakeResponse.
const BufferSize = 32 * harness.KiB

type taking func([]byte)

func (take taking) Write(p []byte) (int, error) {
	take(p)
	return len(p), nil
}

// peak is the most memory that this process has had.
func peak() (int64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var n int64
	_, err = fmt.Sscan(rest, &n)
	return n * harness.KiB, err
}
