package caddyfcgi_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// While the application restarts, no GET is lost.
func TestRestarts(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "keepalive", "multiplex on"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			app := &application{socket: filepath.Join(socketDir(t), "app.sock")}
			srv := app.listen(t, hello)
			s := serve(t, proxy(app, options+"\ndial_timeout 30s"))
			load := startLoad(t, s.url)
			for range 10 {
				load.await(50)
				if err := srv.Shutdown(t.Context()); err != nil {
					t.Fatal(err)
				}
				srv = app.listen(t, hello)
			}
			load.await(50)
			load.stop()
		})
	}
}

// A reload of the configuration loses no request: those that are in progress are finished, with the
// connections that they have, and these are closed then.
func TestReload(t *testing.T) {
	t.Parallel()
	for _, options := range []string{"", "keepalive 10m", "multiplex on\nkeepalive 10m"} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			begun, release := make(chan struct{}), make(chan struct{})
			app := start(t, fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				if r.Params.Get("PATH_INFO") == "/slow" {
					close(begun)
					select {
					case <-release:
					case <-r.Context().Done():
						t.Error("the slow request was aborted")
					}
				}
				hello(w, r)
			}))
			s := serve(t, proxy(app, options))
			slow := make(chan error)
			go func() {
				req, _ := http.NewRequest(http.MethodGet, s.url+"/slow", nil)
				code, body, err := ask(http.DefaultClient, req)
				if err == nil && (code != 200 || body != "hello") {
					err = fmt.Errorf("%d %q", code, body)
				}
				slow <- err
			}()
			receive(t, begun)
			load := startLoad(t, s.url)
			for i := range 3 {
				load.await(20)
				s.reload(proxy(app, fmt.Sprintf("%s\nenv RELOAD %d", options, i)))
			}
			load.await(20)
			load.stop()
			close(release)
			if err := receive(t, slow); err != nil {
				t.Error(err)
			}
			// Those of the last configuration may be kept, and no others.
			eventually(t, "the connections of former configurations are closed", func() bool { return app.open.Load() <= 2 })
			s.reload("respond empty")
			eventually(t, "all connections are closed", func() bool { return app.open.Load() == 0 })
			eventually(t, "all goroutines have ended", func() bool { return !strings.Contains(s.goroutines(), "simple-fastcgi") })
		})
	}
}

// askThrough asks until there is an answer: a Caddy that reloads closes connections of its clients, which is between it and them.
func askThrough(url string) (code int, body string, err error) {
	for range 10 {
		req, _ := http.NewRequest(http.MethodGet, url, nil)
		code, body, err = ask(http.DefaultClient, req)
		if code != 0 || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			break
		}
	}
	return code, body, err
}

// A load is a number of clients that ask all the time.
type load struct {
	t    *testing.T
	quit chan struct{}
	done chan struct{} // one for each answer
	wg   sync.WaitGroup
}

func startLoad(t *testing.T, url string) *load {
	l := &load{t: t, quit: make(chan struct{}), done: make(chan struct{})}
	for range 4 {
		l.wg.Go(func() {
			for {
				code, body, err := askThrough(url)
				if err != nil || code != 200 || body != "hello" {
					t.Errorf("%d %q %v", code, body, err)
				}
				select {
				case l.done <- struct{}{}:
				case <-l.quit:
					return
				}
			}
		})
	}
	return l
}

// await returns after n answers.
func (l *load) await(n int) {
	l.t.Helper()
	for range n {
		receive(l.t, l.done)
	}
}

func (l *load) stop() {
	close(l.quit)
	l.wg.Wait()
}
