package main

import (
	"runtime"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

func TestMain(m *testing.M) { front.Main(m, main) }

// modes and drivers are the ways to run the probe.
var (
	modes   = []string{"sync", "async", "http"}
	drivers = map[bool][]string{true: {"goroutine", "loop"}, false: {"goroutine"}}[runtime.GOOS == "linux"]
)

// everyWay runs a test against the probe in each mode, over each driver.
func everyWay(t *testing.T, test func(t *testing.T, mode string, srv *fastcgi.Server, f *front.Front)) {
	for _, driver := range drivers {
		for _, mode := range modes {
			t.Run(driver+"/"+mode, func(t *testing.T) {
				srv, err := newServer(mode, driver, &tally{})
				if err != nil {
					t.Fatal(err)
				}
				srv.ErrorLog = quiet
				test(t, mode, srv, front.Serve(t, srv))
			})
		}
	}
}

func TestProgram(t *testing.T) {
	for name, start := range map[string]func(testing.TB, ...string) *front.Program{
		"address":    front.Start,
		"descriptor": front.StartInherited,
	} {
		t.Run(name, func(t *testing.T) {
			p := start(t)
			if got := p.Get(t, "do=ignore").Body(); got != "ignored\n" {
				t.Errorf("the body is %q", got)
			}
			p.Stop(t)
		})
	}
}

// The program ends by itself, with status 0, after as many requests as it was
// told, each of them answered.
func TestMaxRequests(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			p := front.Start(t, "-mode", mode, "-max-requests", "3")
			p.Client.KeepConn = true
			for range 3 {
				// The last one is still at work when the end begins.
				if got := p.Get(t, "do=stream&n=3&ms=20").Body(); got != "chunk 0\nchunk 1\nchunk 2\n" {
					t.Errorf("the body is %q", got)
				}
			}
			if err := p.Wait(); err != nil {
				t.Errorf("the program ended with %v", err)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, tt := range []struct{ arg, value, says string }{
		{"-mode", "fast", `probe: -mode "fast": choose sync, async or http`},
		{"-driver", "fast", `probe: fastcgi: there is no driver "fast"; choose "auto", "goroutine" or "loop"`},
	} {
		if said, ok := front.Run(t, tt.arg, tt.value); ok || strings.TrimSpace(said) != tt.says {
			t.Errorf("%s %s: exit 0 is %v, says %q", tt.arg, tt.value, ok, said)
		}
	}
}
