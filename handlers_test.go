package fastcgi_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A kind is one of the kinds of handlers. Most of what a server promises holds for all.
type kind struct {
	name string
	echo func(*fastcgi.Server) // answers with the parameters and the body, see echoed
}

var kinds = []kind{
	{"sync", func(s *fastcgi.Server) {
		s.Handler, s.Filter = fastcgi.HandlerFunc(echoSync), fastcgi.HandlerFunc(echoSync)
	}},
	{"async", func(s *fastcgi.Server) {
		s.AsyncHandler, s.AsyncFilter = fastcgi.AsyncHandlerFunc(echoAsync), fastcgi.AsyncHandlerFunc(echoAsync)
	}},
	{"sync in async", func(s *fastcgi.Server) {
		echo := fastcgi.Async(fastcgi.HandlerFunc(echoSync))
		s.AsyncHandler, s.AsyncFilter = echo, echo
	}},
}

// eachKind runs a test with an echo server of either kind, everywhere.
func eachKind(t *testing.T, test func(t *testing.T, p place, srv *fastcgi.Server)) {
	everywhere(t, func(t *testing.T, p place) {
		for _, k := range kinds {
			t.Run(k.name, func(t *testing.T) {
				srv := &fastcgi.Server{}
				k.echo(srv)
				test(t, p, srv)
			})
		}
	})
}

// echoed is what an echo server answers.
func echoed(p fastcgi.Params, body string) string {
	var b strings.Builder
	for name, value := range p.All() {
		fmt.Fprintf(&b, "%s=%s\n", name, value)
	}
	return b.String() + "\n" + body
}

func echoSync(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	body, err := io.ReadAll(r)
	if err == nil && r.Role == fastcgi.RoleFilter {
		var data []byte
		data, err = io.ReadAll(r.Data())
		body = append(body, data...)
	}
	if err != nil {
		w.SetAppStatus(1)
		return
	}
	io.WriteString(w, echoed(r.Params, string(body)))
}

func echoAsync(ex fastcgi.Exchange) {
	params := ex.Params()
	var body strings.Builder
	finish := func() {
		io.WriteString(ex, echoed(params, body.String()))
		ex.Finish(0)
	}
	ex.OnAbort(func(error) { ex.Finish(1) })
	ex.OnBody(func(chunk []byte, last bool) {
		body.Write(chunk)
		if last && ex.Role() != fastcgi.RoleFilter {
			finish()
		}
	})
	ex.OnData(func(chunk []byte, last bool) {
		body.Write(chunk)
		if last && ex.Role() == fastcgi.RoleFilter {
			finish()
		}
	})
}

// hello is the least there is.
var hello = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	io.WriteString(w, "hello")
})

// A held is a request whose handler waits for the test.
type held struct {
	w      fastcgi.ResponseWriter
	r      *fastcgi.Request // nil for an async one
	finish func()
}

// holding is a Handler that hands every request to the test and waits until it calls finish.
func holding(requests chan<- *held) fastcgi.Handler {
	return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		done := make(chan struct{})
		requests <- &held{w, r, func() { close(done) }}
		<-done
	})
}

// holdingAsync is the same as an AsyncHandler.
func holdingAsync(requests chan<- *held) fastcgi.AsyncHandler {
	return fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		requests <- &held{ex, nil, func() { ex.Finish(0) }}
	})
}

var errTest = errors.New("an error of the test")
