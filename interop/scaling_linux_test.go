package interop_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A farm is a web server's host and three hosts with an application, with a network between them.
type farm struct {
	balancer *host
	apps     []*farmhand
	site     *site
}

// A farmhand is one of a farm's hosts with an application.
type farmhand struct {
	*host
	addr    string
	link    string // the balancer's end of the cable
	probe   string
	process *process
}

// newFarm makes the hosts and runs the applications. They listen where other machines reach them, so they have to be told
// who may connect.
func newFarm(t *testing.T) *farm {
	t.Helper()
	probe := buildProbe(t)
	f := &farm{balancer: newHost(t)}
	f.balancer.run(t, "ip", "link", "add", "lan", "type", "bridge")
	f.balancer.run(t, "ip", "address", "add", "192.0.2.1/24", "dev", "lan")
	f.balancer.run(t, "ip", "link", "set", "lan", "up")
	for i := range 3 {
		hand := &farmhand{host: newHost(t), addr: fmt.Sprintf("192.0.2.1%d", i+1), link: fmt.Sprintf("app%d", i+1), probe: probe}
		f.balancer.run(t, "ip", "link", "add", hand.link, "type", "veth", "peer", "name", "eth0", "netns", hand.pid)
		f.balancer.run(t, "ip", "link", "set", hand.link, "master", "lan", "up")
		hand.run(t, "ip", "address", "add", hand.addr+"/24", "dev", "eth0")
		hand.run(t, "ip", "link", "set", "eth0", "up")
		hand.begin(t)
		f.apps = append(f.apps, hand)
	}
	return f
}

// begin runs the application until the end of the test, or until something befalls it.
func (h *farmhand) begin(t *testing.T) {
	t.Helper()
	cmd := h.command(h.probe, "-listen", "tcp:"+h.addr+":9000")
	cmd.Env = append(os.Environ(), "FCGI_WEB_SERVER_ADDRS=192.0.2.1")
	h.process = start(t, os.Kill, cmd)
}

// serve runs a web server on the balancer, with a page's configuration.
func (f *farm) serve(t *testing.T, w *webServer, config string) {
	t.Helper()
	p := newPlace(t)
	cmd := w.command(t, w.find(t), p, p.write(t, "site.conf", printed(t, "scaling", config)), "")
	server := start(t, w.stop, f.balancer.command(append([]string{cmd.Path}, cmd.Args[1:]...)...))
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("error log of %s:\n%s", w.name, tail(p.read(t, "error.log")))
		}
	})
	f.balancer.awaitPort(t, server, "8080")
	f.site = f.balancer.site(t, w, "app.example.com", "8080", "")
}

// farmClients is how many requests are under way at any time.
const farmClients = 8

// A toll counts what becomes of requests.
type toll struct {
	answered, failed atomic.Int64
	slowest          atomic.Int64              // of those answered, in nanoseconds
	ended            [farmClients]atomic.Int64 // requests of each client, answered or not

	mu     sync.Mutex
	served map[string]int // how often each host has, since forget

	done    chan struct{}
	clients sync.WaitGroup
}

// load sends GET requests, one after the other for each client, until it is stopped.
func (f *farm) load(t *testing.T) *toll {
	t.Helper()
	l := &toll{served: make(map[string]int), done: make(chan struct{})}
	for i := range farmClients {
		l.clients.Go(func() {
			for {
				select {
				case <-l.done:
					return
				default:
					l.ask(t, f.site)
					l.ended[i].Add(1)
				}
			}
		})
	}
	t.Cleanup(func() {
		close(l.done)
		l.clients.Wait()
	})
	return l
}

func (l *toll) ask(t *testing.T, s *site) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url("do=sleep&ms=10"), nil)
	if err != nil {
		t.Error(err)
		return
	}
	a, err := s.try(req)
	if err != nil || a.StatusCode != 200 || a.body != "slept\n" {
		l.failed.Add(1)
		return
	}
	l.answered.Add(1)
	l.slowest.Store(max(l.slowest.Load(), int64(time.Since(begin))))
	l.mu.Lock()
	defer l.mu.Unlock()
	tried := strings.Split(a.Header.Get("X-Served-By"), ", ") // the last one has answered
	l.served[tried[len(tried)-1]]++
}

// forget starts a new count of who serves.
func (l *toll) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.served)
}

// awaitHosts waits until some hosts, and no others, have served the last few hundred requests.
func (l *toll) awaitHosts(t *testing.T, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d hosts serve", n), func() bool {
		l.forget()
		enough := l.answered.Load() + 300
		eventually(t, "requests are answered", func() bool { return l.answered.Load() >= enough })
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.served) == n
	})
}

// awaitClients waits until all requests that are under way have ended, and a later one of each client.
func (l *toll) awaitClients(t *testing.T) {
	t.Helper()
	for i := range l.ended {
		enough := l.ended[i].Load() + 2
		eventually(t, "every client goes on", func() bool { return l.ended[i].Load() >= enough })
	}
}

// A blow is what befalls a host, and what undoes it.
type blow struct {
	name     string
	fall     func(t *testing.T, f *farm, h *farmhand)
	rise     func(t *testing.T, f *farm, h *farmhand) // for as long as t runs, which is not the test that fall got
	mostLost int64                                    // requests
}

var blows = []blow{
	{
		name: "drained",
		fall: func(t *testing.T, _ *farm, h *farmhand) { h.process.stop(t, syscall.SIGTERM) },
		rise: func(t *testing.T, _ *farm, h *farmhand) { h.begin(t) },
	},
	{
		name:     "killed",
		fall:     func(t *testing.T, _ *farm, h *farmhand) { h.process.stop(t, os.Kill) },
		rise:     func(t *testing.T, _ *farm, h *farmhand) { h.begin(t) },
		mostLost: farmClients,
	},
	{
		name:     "cut off",
		fall:     func(t *testing.T, f *farm, h *farmhand) { f.balancer.run(t, "ip", "link", "set", h.link, "down") },
		rise:     func(t *testing.T, f *farm, h *farmhand) { f.balancer.run(t, "ip", "link", "set", h.link, "up") },
		mostLost: farmClients,
	},
}

// A drain loses no request; a host that dies loses at most those that are with it.
func TestScaling(t *testing.T) {
	t.Parallel()
	wantPrinted(t, "scaling")
	for w, config := range map[*webServer]string{nginx: "nginx.conf", haproxy: "haproxy.cfg"} {
		t.Run(w.name, func(t *testing.T) {
			w.find(t)
			f := newFarm(t)
			f.serve(t, w, config)
			l := f.load(t)
			l.awaitHosts(t, len(f.apps))
			for i, b := range blows {
				t.Run(b.name, func(t *testing.T) { f.strike(t, l, b, f.apps[i]) })
				b.rise(t, f, f.apps[i])
				l.awaitHosts(t, len(f.apps))
			}
		})
	}
}

// strike has something befall a host under load, and counts what it costs.
func (f *farm) strike(t *testing.T, l *toll, b blow, h *farmhand) {
	failed := l.failed.Load()
	l.slowest.Store(0)
	b.fall(t, f, h)
	l.awaitClients(t)
	l.awaitHosts(t, len(f.apps)-1)
	lost, slowest := l.failed.Load()-failed, time.Duration(l.slowest.Load())
	t.Logf("%d requests failed, the slowest that was answered took %v", lost, slowest)
	if lost > b.mostLost {
		t.Errorf("%d requests failed, with %d under way; at most %d may", lost, farmClients, b.mostLost)
	}
}
