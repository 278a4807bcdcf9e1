package interop_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// Applications that do what makes web servers complain, for mishaps.

// noAnswer says nothing at all; the appStatus keeps the server from answering for it.
func noAnswer(w fastcgi.ResponseWriter, _ *fastcgi.Request) { w.SetAppStatus(1) }

func panics(fastcgi.ResponseWriter, *fastcgi.Request) { panic("on purpose") }

// hang answers nothing until the web server has given up.
func hang(_ fastcgi.ResponseWriter, r *fastcgi.Request) { <-r.Context().Done() }

// hangWithin does so once it has begun to answer.
func hangWithin(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	_ = fastcgi.SendResponse(w, 200, "text/plain", "begin\n")
	_ = w.Flush()
	hang(w, r)
}

func noHeader(w fastcgi.ResponseWriter, _ *fastcgi.Request) { _, _ = io.WriteString(w, "hello\n") }

// largeHeader sends a cookie of so many bytes.
func largeHeader(n int) fastcgi.HandlerFunc {
	return func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
		cookie := fastcgi.Pair{Name: "Set-Cookie", Value: strings.Repeat("c", n)}
		_ = fastcgi.SendResponse(w, 200, "text/plain", "ok\n", cookie)
	}
}

func shortBody(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	length := fastcgi.Pair{Name: "Content-Length", Value: "100"}
	_ = fastcgi.SendResponse(w, 200, "text/plain", "short\n", length)
}

func longBody(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	length := fastcgi.Pair{Name: "Content-Length", Value: "3"}
	_ = fastcgi.SendResponse(w, 200, "text/plain", "too long\n", length)
}

// noResponder returns an application that refuses what web servers usually ask for.
func noResponder() *fastcgi.Server {
	allow := fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision { return fastcgi.Allow() })
	return &fastcgi.Server{Authorizer: allow}
}

func refuse(t *testing.T, p *place) { serve(t, noResponder(), "unix:"+p.socket) }

// serveConns has f serve one connection after the other, each of which it closes, until the end of the test.
func serveConns(t *testing.T, l net.Listener, f func(net.Conn)) {
	t.Helper()
	ended := make(chan struct{})
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f(c)
			c.Close()
		}
	}()
}
