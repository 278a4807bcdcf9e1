package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
)

// serveApp has an application of this module listen on a Unix socket until the end of the test. It answers with its name,
// after a time.
func serveApp(t *testing.T, srv *fastcgi.Server, name string, after time.Duration) (addr string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name+".sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv.ErrorLog = slog.New(slog.DiscardHandler)
	srv.Handler = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if after > 0 {
			select {
			case <-time.After(after):
			case <-r.Context().Done():
			}
		}
		fastcgi.SendResponse(w, 200, "text/plain", name)
	})
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	t.Cleanup(func() {
		srv.Close()
		if err := <-served; !errors.Is(err, fastcgi.ErrServerClosed) {
			t.Error(err)
		}
	})
	return "unix:" + path
}

// A throng is many who ask a Balancer at once.
type throng struct {
	t                       *testing.T
	balancer                *client.Balancer
	answered                atomic.Int64
	getsFailed, postsFailed atomic.Int64
	slowest                 atomic.Int64 // of the answers to GET, in nanoseconds
	stop                    chan struct{}
	askers                  sync.WaitGroup
	progress                chan struct{} // has a value when there were more answers
}

// gather starts n who ask one request after the other, three GETs to a POST.
func gather(t *testing.T, b *client.Balancer, n int) *throng {
	g := &throng{t: t, balancer: b, stop: make(chan struct{}), progress: make(chan struct{}, 1)}
	for range n {
		g.askers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-g.stop:
					return
				default:
					g.ask(i%4 == 3)
				}
			}
		})
	}
	return g
}

func (g *throng) ask(isPost bool) {
	req := get()
	if isPost {
		req = post(strings.NewReader("body"))
	}
	start := time.Now()
	resp, err := g.balancer.Do(context.Background(), req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp)
		resp.Close()
	}
	switch {
	case err != nil && isPost:
		g.postsFailed.Add(1)
	case err != nil:
		g.getsFailed.Add(1)
		g.t.Errorf("a GET failed: %v", err)
	default:
		g.answered.Add(1)
		for took := int64(time.Since(start)); !isPost; {
			if most := g.slowest.Load(); took <= most || g.slowest.CompareAndSwap(most, took) {
				break
			}
		}
	}
	select {
	case g.progress <- struct{}{}:
	default:
	}
}

// await waits for n more answers.
func (g *throng) await(n int64) {
	for enough := g.answered.Load() + n; g.answered.Load() < enough; {
		<-g.progress
	}
}

// disperse ends it.
func (g *throng) disperse() {
	close(g.stop)
	g.askers.Wait()
}

// Applications of this module on Unix sockets, under load. Whatever befalls one of them, no request fails that may be
// repeated; of the others, at most those that are with the one that is killed.
func TestBalancerUnderLoad(t *testing.T) {
	const askers = 16
	for name, newClient := range map[string]func(addr string) *client.Client{
		"a connection each": func(addr string) *client.Client { return &client.Client{Addr: addr} },
		"kept": func(addr string) *client.Client {
			return &client.Client{Addr: addr, KeepConn: true, MaxIdle: askers}
		},
		"shared": func(addr string) *client.Client { return &client.Client{Addr: addr, Multiplex: client.MultiplexOn} },
	} {
		t.Run(name, func(t *testing.T) {
			killed, refusing := &fastcgi.Server{}, &fastcgi.Server{MaxConns: 1}
			b := &client.Balancer{
				Policy: client.LeastInFlight, MaxInFlight: 8, NewClient: newClient, MaxRetries: -1,
				Applications: []client.Application{
					{Name: "steady", Addr: serveApp(t, &fastcgi.Server{}, "steady", 0)},
					{Name: "killed", Addr: serveApp(t, killed, "killed", 0)},
					{Name: "drained", Addr: serveApp(t, &fastcgi.Server{}, "drained", 0)},
					{Name: "slow", Addr: serveApp(t, &fastcgi.Server{}, "slow", 50*time.Millisecond)},
					{Name: "refusing", Addr: serveApp(t, refusing, "refusing", 0)},
				},
			}
			defer b.Close()
			// Whoever has the one connection of the one that refuses keeps it.
			holder, err := net.Dial("unix", strings.TrimPrefix(b.Applications[4].Addr, "unix:"))
			if err != nil {
				t.Fatal(err)
			}
			defer holder.Close()

			g := gather(t, b, askers)
			g.await(500)
			killed.Close()
			g.await(500)
			if err := b.Drain(t.Context(), "drained"); err != nil {
				t.Error(err)
			}
			atDrain := stateOf(b, "drained")
			g.await(500)
			if s := stateOf(b, "drained"); s.Requests != atDrain.Requests {
				t.Errorf("a drained application got %d requests", s.Requests-atDrain.Requests)
			}
			if err := b.Resume("drained"); err != nil {
				t.Error(err)
			}
			g.await(500)
			g.disperse()
			for _, s := range b.State().Applications {
				t.Logf("%s: %v, %d requests, %d completed, %d retried, failures %+v, %s",
					s.Name, s.Health, s.Requests, s.Completed, s.Retries, s.Failures, s.LastError)
				if s.InFlight != 0 {
					t.Errorf("%d requests are in flight at %s, and nobody knows of them", s.InFlight, s.Name)
				}
			}
			t.Logf("%d answers, %d GETs and %d POSTs failed, the longest GET took %v",
				g.answered.Load(), g.getsFailed.Load(), g.postsFailed.Load(), time.Duration(g.slowest.Load()))
			if failed := g.postsFailed.Load(); failed > askers {
				t.Errorf("%d POSTs failed, and %d can have been with the one that was killed", failed, askers)
			}
			if s := stateOf(b, "refusing"); s.Failures.Overloaded == 0 {
				t.Errorf("it did not refuse: %+v", s)
			}
			if s := stateOf(b, "drained"); s.Requests == atDrain.Requests {
				t.Error("after Resume, it gets nothing")
			}
		})
	}
}

func stateOf(b *client.Balancer, name string) client.ApplicationState {
	for _, a := range b.State().Applications {
		if a.Name == name {
			return a
		}
	}
	return client.ApplicationState{}
}
