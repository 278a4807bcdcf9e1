package main

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

func TestMain(m *testing.M) { front.Main(m, main) }

func TestHello(t *testing.T) {
	for _, mode := range []string{"sync", "async", "http"} {
		t.Run(mode, func(t *testing.T) {
			srv, err := newServer(mode, "auto")
			if err != nil {
				t.Fatal(err)
			}
			got := front.Serve(t, srv).Get(t, "")
			if got.Body() != "hello, world\n" || !strings.Contains(got.Header(), "Content-Type: text/plain") || got.AppStatus != 0 {
				t.Errorf("the answer is %+v", got)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	for _, tt := range []struct {
		name  string
		start func(testing.TB, ...string) *front.Program
		says  string
	}{
		{"address", front.Start, "hello: INFO fastcgi: listening address=unix:%s\n"},
		{"descriptor", front.StartInherited, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.start(t, "-mode", "async", "-driver", "goroutine")
			if got := p.Get(t, "").Body(); got != body {
				t.Errorf("the body is %q", got)
			}
			if said, want := p.Stop(t), strings.Replace(tt.says, "%s", p.Path, 1); said != want {
				t.Errorf("it says %q, not %q", said, want)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct{ arg, value, says string }{
		{"-mode", "fast", `hello: -mode "fast": choose sync, async or http`},
		{"-driver", "fast", `hello: fastcgi: there is no driver "fast"; choose "auto", "goroutine" or "loop"`},
	} {
		if said, ok := front.Run(t, tt.arg, tt.value); ok || strings.TrimSpace(said) != tt.says {
			t.Errorf("%s %s: exit 0 is %v, says %q", tt.arg, tt.value, ok, said)
		}
	}
}
