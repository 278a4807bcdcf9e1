package client_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// newClient returns a client of an application that follows script.
func newClient(t *testing.T, c *client.Client, script func(*fakeapp.Conn)) *client.Client {
	t.Helper()
	c.Addr = fakeapp.Start(t, script)
	t.Cleanup(func() { c.Close() })
	return c
}

// get is a request that may be repeated.
func get() *client.Request {
	return &client.Request{Params: []client.Pair{{Name: "REQUEST_METHOD", Value: "GET"}}}
}

// post is one that may not.
func post(body io.Reader) *client.Request {
	return &client.Request{Params: []client.Pair{{Name: "REQUEST_METHOD", Value: "POST"}}, Stdin: body}
}

// answer does a request and reads the response to its end.
func answer(t *testing.T, c *client.Client, req *client.Request) (string, protocol.EndRequest, error) {
	t.Helper()
	resp, err := c.Do(t.Context(), req)
	if err != nil {
		return "", protocol.EndRequest{}, err
	}
	defer resp.Close()
	body, readErr := io.ReadAll(resp)
	end, err := resp.Wait()
	if (readErr == nil) != (err == nil) {
		t.Errorf("Read ended with %v, Wait with %v", readErr, err)
	}
	return string(body), end, err
}

// expect does a request and fails unless the answer is want.
func expect(t *testing.T, c *client.Client, req *client.Request, want string) {
	t.Helper()
	got, _, err := answer(t, c, req)
	if err != nil || got != want {
		t.Fatalf("answer %q, %v; want %q", clip(got), err, clip(want))
	}
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:40] + "..." + s[len(s)-37:]
	}
	return s
}

// records renders what a client sent as "TYPE:length" words.
func records(t *testing.T, b []byte) string {
	t.Helper()
	var words []string
	for len(b) > 0 {
		h := protocol.ParseHeader(b)
		if h.PaddingLength != 0 {
			t.Errorf("%v has padding", h.Type)
		}
		word := h.Type.String()
		if h.ContentLength == 0 {
			word += "."
		}
		words = append(words, word)
		b = b[protocol.HeaderLen+int(h.ContentLength):]
	}
	return strings.Join(words, " ")
}

// capture does a request on a connection that records what is sent until the
// client has nothing left to send, and then refuses.
func (m mode) capture(t *testing.T, c *client.Client, req *client.Request) (sent []byte) {
	t.Helper()
	done := make(chan struct{})
	c.Addr = fakeapp.Start(t, func(a *fakeapp.Conn) {
		defer close(done)
		tee := &teeConn{Conn: a.Conn}
		a.Conn = tee
		if r := a.Request(); r != nil {
			a.Say(r.Answer("ok"))
		}
		sent = tee.read
	})
	defer c.Close()
	expect(t, c, req, "ok")
	<-done
	return sent
}

// A teeConn keeps what is read from it.
type teeConn struct {
	net.Conn
	read []byte
}

func (c *teeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read = append(c.read, p[:n]...)
	return n, err
}
