package fastcgi_test

import (
	"io"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A response to HEAD, and one whose status says so, has no body, whatever it is made of; a reader is closed all the same.
func TestSendResponseBodiless(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, test := range []struct {
		method string
		code   int
		body   bool
	}{
		{"GET", 200, true},
		{"HEAD", 200, false},
		{"HEAD", 404, false},
		{"GET", 204, false},
		{"GET", 304, false},
		{"head", 200, true}, // methods are as they are written
	} {
		for name, data := range map[string]func(closed chan<- bool) any{
			"short":    func(chan<- bool) any { return "x" },
			"long":     func(chan<- bool) any { return long },
			"bytes":    func(chan<- bool) any { return []byte(long) },
			"sequence": func(chan<- bool) any { return func(yield func(string) bool) { yield("x") } },
			"reader":   func(closed chan<- bool) any { return announcedCloser{strings.NewReader("x"), closed} },
		} {
			t.Run(test.method+"/"+name, func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					closed := make(chan bool, 2)
					send := func(w fastcgi.ResponseWriter) {
						if err := fastcgi.SendResponse(w, test.code, "", data(closed)); err != nil {
							t.Error(err)
						}
					}
					w := p.serve(t, &fastcgi.Server{
						Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { send(w) }),
					}).dial(t)
					aw := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						send(ex)
						ex.Finish(0)
					})}).dial(t)
					for _, w := range []*web{w, aw} {
						got := w.ask(1, "REQUEST_METHOD", test.method).stdout.String()
						head, body, _ := strings.Cut(got, "\r\n\r\n")
						if !strings.HasPrefix(head, "Status: ") || (body != "") != test.body {
							t.Errorf("got %.100q", got)
						}
						if name == "reader" && !receive(t, closed) {
							t.Error("the reader was not closed")
						}
					}
				})
			})
		}
	}
}

type announcedCloser struct {
	io.Reader
	closed chan<- bool
}

func (c announcedCloser) Close() error {
	c.closed <- true
	return nil
}
