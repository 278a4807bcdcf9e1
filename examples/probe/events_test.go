package main

import (
	"io"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

// W19: events end when the server shuts down, and say so.
func TestEventsEndWithTheServer(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, srv *fastcgi.Server, f *front.Front) {
		resp := do(t, f, front.Get("do=events&ms=3600000"))
		defer resp.Close()
		readTo(t, resp, "\r\n\r\nchunk 0\n")
		down := make(chan error, 1)
		go func() { down <- srv.Shutdown(t.Context()) }()
		if rest, err := io.ReadAll(resp); string(rest) != goodbye || err != nil {
			t.Errorf("the stream ends with %q, %v", rest, err)
		}
		resp.Close()
		if err := <-down; err != nil {
			t.Error(err)
		}
	})
}
