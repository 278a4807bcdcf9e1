package interop_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// newBalancer returns a Balancer on a farm's host for web servers, before its applications. It is called by this process, and
// its connections are made there.
func (f *farm) newBalancer(t *testing.T) *client.Balancer {
	t.Helper()
	b := &client.Balancer{
		Policy:          client.LeastInFlight,
		ResponseTimeout: 2 * time.Second,
		Check: &client.Check{
			Request:  func() *client.Request { return probeRequest("GET", "do=params", "") },
			Interval: 200 * time.Millisecond,
			Timeout:  300 * time.Millisecond,
			Fall:     2,
		},
		NewClient: func(addr string) *client.Client {
			return &client.Client{
				KeepConn: true, MaxIdle: farmCallers, DialTimeout: 500 * time.Millisecond,
				Dial: func(ctx context.Context) (net.Conn, error) { return f.balancer.dial(ctx, "", addr) },
			}
		},
	}
	for i, h := range f.apps {
		b.Applications = append(b.Applications, client.Application{Name: fmt.Sprint("app", i+1), Addr: h.addr + ":9000"})
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// probeRequest is what a web server would ask the probe.
func probeRequest(method, query, body string) *client.Request {
	return &client.Request{
		Params: []client.Pair{
			{Name: "REQUEST_METHOD", Value: method},
			{Name: "SCRIPT_NAME", Value: "/"},
			{Name: "QUERY_STRING", Value: query},
			{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
			{Name: "CONTENT_LENGTH", Value: fmt.Sprint(len(body))},
		},
		Stdin: strings.NewReader(body),
	}
}

// farmCallers is how many requests a crowd has under way at any time.
const farmCallers = 16

// A crowd asks a Balancer without pause, three GETs to a POST, and counts what becomes of it.
type crowd struct {
	balancer *client.Balancer
	done     chan struct{}
	callers  sync.WaitGroup

	answered, failedGETs, failedPOSTs atomic.Int64
	ended                             [farmCallers]atomic.Int64 // requests of each caller, answered or not

	mu      sync.Mutex
	longest time.Duration // that a GET took
	errors  []error       // of POSTs
}

func gather(t *testing.T, b *client.Balancer) *crowd {
	t.Helper()
	c := &crowd{balancer: b, done: make(chan struct{})}
	for i := range farmCallers {
		c.callers.Go(func() {
			for n := i; ; n++ {
				select {
				case <-c.done:
					return
				default:
					c.call(t, n%4 == 3)
					c.ended[i].Add(1)
				}
			}
		})
	}
	t.Cleanup(func() {
		close(c.done)
		c.callers.Wait()
	})
	return c
}

func (c *crowd) call(t *testing.T, isPost bool) {
	method := "GET"
	if isPost {
		method = "POST"
	}
	begin := time.Now()
	body, err := c.ask(probeRequest(method, "do=sleep&ms=10", "a body"))
	took := time.Since(begin)
	if err == nil && !strings.HasSuffix(body, "slept\n") {
		err = fmt.Errorf("answer %q", body)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil && isPost:
		c.failedPOSTs.Add(1)
		c.errors = append(c.errors, err)
	case err != nil:
		c.failedGETs.Add(1)
		t.Errorf("a GET failed after %v: %v", took, err)
	default:
		c.answered.Add(1)
		if !isPost {
			c.longest = max(c.longest, took)
		}
	}
}

func (c *crowd) ask(req *client.Request) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := c.balancer.Do(ctx, req)
	if err != nil {
		return "", err
	}
	defer resp.Close()
	body, err := io.ReadAll(resp)
	return string(body), err
}

// awaitAnswers waits for n more answers, and the end of all requests that are under way.
func (c *crowd) awaitAnswers(t *testing.T, n int64) {
	t.Helper()
	enough := c.answered.Load() + n
	eventually(t, "requests are answered", func() bool { return c.answered.Load() >= enough })
	for i := range c.ended {
		enough := c.ended[i].Load() + 2
		eventually(t, "every caller goes on", func() bool { return c.ended[i].Load() >= enough })
	}
}

// stateOf is what the Balancer knows of a farm's i-th application.
func (c *crowd) stateOf(i int) client.ApplicationState { return c.balancer.State().Applications[i] }

// awaitService waits until the i-th application is in service or not, and when it is, until it has served.
func (c *crowd) awaitService(t *testing.T, i int, in bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("application %d is in service: %v", i+1, in), func() bool {
		return (c.stateOf(i).Health == client.HealthUp) == in
	})
	if completed := c.stateOf(i).Completed; in {
		eventually(t, "it serves", func() bool { return c.stateOf(i).Completed > completed+20 })
	}
}

// An incident is what befalls one application of a farm, and what undoes it.
type incident struct {
	name      string
	fall      func(t *testing.T, f *farm, c *crowd, i int)
	rise      func(t *testing.T, f *farm, c *crowd, i int) // for as long as t runs, which is not the test that fall got
	lostPOSTs int64                                        // at most
}

var incidents = []incident{
	{
		name: "killed",
		fall: func(t *testing.T, f *farm, c *crowd, i int) {
			f.apps[i].process.stop(t, os.Kill)
			c.awaitService(t, i, false)
		},
		rise:      func(t *testing.T, f *farm, _ *crowd, i int) { f.apps[i].begin(t) },
		lostPOSTs: farmCallers,
	},
	{
		name: "drained",
		fall: func(t *testing.T, f *farm, c *crowd, i int) {
			if err := c.balancer.Drain(t.Context(), c.stateOf(i).Name); err != nil {
				t.Error(err)
			}
			f.apps[i].process.stop(t, syscall.SIGTERM)
		},
		rise: func(t *testing.T, f *farm, c *crowd, i int) {
			f.apps[i].begin(t)
			if err := c.balancer.Resume(c.stateOf(i).Name); err != nil {
				t.Error(err)
			}
		},
	},
	{
		// Packets to and from the host vanish, and nobody says so.
		name: "partitioned",
		fall: func(t *testing.T, f *farm, c *crowd, i int) {
			h := f.apps[i]
			f.balancer.run(t, "ip", "neigh", "replace", h.addr, "lladdr", h.hardwareAddr(t), "dev", "lan", "nud", "permanent")
			f.balancer.run(t, "ip", "link", "set", h.link, "down")
			c.awaitService(t, i, false)
		},
		rise: func(t *testing.T, f *farm, _ *crowd, i int) {
			f.balancer.run(t, "ip", "link", "set", f.apps[i].link, "up")
		},
		lostPOSTs: farmCallers,
	},
	{
		// It stands still for most of the time.
		name: "slow",
		fall: func(t *testing.T, f *farm, c *crowd, i int) {
			for range 4 {
				for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
					if err := f.apps[i].process.cmd.Process.Signal(s); err != nil {
						t.Error(err)
					}
					enough := c.answered.Load() + 200
					eventually(t, "others answer", func() bool { return c.answered.Load() >= enough })
				}
			}
		},
		rise:      func(*testing.T, *farm, *crowd, int) {},
		lostPOSTs: farmCallers, // on a machine that is slow itself, where it stands still for longer than ResponseTimeout
	},
}

// hardwareAddr is that of the host's end of its cable.
func (h *host) hardwareAddr(t *testing.T) string {
	t.Helper()
	out, err := h.command("ip", "-brief", "link", "show", "eth0").Output()
	if fields := strings.Fields(string(out)); err == nil && len(fields) > 2 {
		return fields[2]
	}
	t.Fatalf("no address of eth0 in %q, %v", out, err)
	return ""
}

// Whatever befalls one of three hosts, no request fails that may be repeated; a POST does if it was with a host that died.
// TestScaling has the same with web servers.
func TestBalancer(t *testing.T) {
	t.Parallel()
	f := newFarm(t)
	b := f.newBalancer(t)
	for _, a := range b.Applications {
		eventually(t, a.Name+" listens", func() bool {
			c, err := f.balancer.dial(t.Context(), "", a.Addr)
			return err == nil && c.Close() == nil
		})
	}
	c := gather(t, b)
	for i := range f.apps {
		c.awaitService(t, i, true)
	}
	for n, incident := range incidents {
		i := n % len(f.apps)
		count := c.begin()
		t.Run(incident.name, func(t *testing.T) {
			incident.fall(t, f, c, i)
			requests := c.stateOf(i).Requests
			c.awaitAnswers(t, 500)
			if more := c.stateOf(i).Requests - requests; c.stateOf(i).Drained && more != 0 {
				t.Errorf("while drained, it got %d requests", more)
			}
		})
		incident.rise(t, f, c, i)
		c.awaitService(t, i, true)
		c.awaitAnswers(t, 0)
		count.end(t, incident)
	}
	for _, a := range b.State().Applications {
		t.Logf("%+v", a)
	}
}

// A tally is what a crowd had counted at the beginning of an incident.
type tally struct {
	crowd                             *crowd
	answered, failedGETs, failedPOSTs int64
}

func (c *crowd) begin() tally {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.longest, c.errors = 0, nil
	return tally{c, c.answered.Load(), c.failedGETs.Load(), c.failedPOSTs.Load()}
}

// end says what an incident has cost.
func (b tally) end(t *testing.T, in incident) {
	t.Helper()
	c := b.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	lost := c.failedPOSTs.Load() - b.failedPOSTs
	t.Logf("%s: %d requests answered, %d GETs and %d POSTs failed, the longest GET took %v",
		in.name, c.answered.Load()-b.answered, c.failedGETs.Load()-b.failedGETs, lost, c.longest.Round(time.Millisecond))
	if lost > in.lostPOSTs {
		t.Errorf("%s: %d POSTs failed, at most %d may: %v", in.name, lost, in.lostPOSTs, c.errors)
	}
}
