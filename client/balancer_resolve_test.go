package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
)

// A zone is a resolver that answers with what a test sets.
type zone struct {
	mu      sync.Mutex
	ips     string // separated by spaces
	err     error
	asked   int
	network string
	silent  bool
}

func (z *zone) set(ips string, err error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.ips, z.err = ips, err
}

// lookups returns how often it was asked, and as what at last.
func (z *zone) lookups() (n int, network string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked, z.network
}

func (z *zone) LookupNetIP(ctx context.Context, network, host string) (addrs []netip.Addr, _ error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	z.network = network
	if host != "app.example" {
		return nil, fmt.Errorf("no such host %q", host)
	}
	if z.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	for ip := range strings.FieldsSeq(z.ips) {
		addrs = append(addrs, netip.MustParseAddr(ip))
	}
	return addrs, z.err
}

// resolving has a Balancer stand before a name.
func resolving(t *testing.T, b *client.Balancer, z *zone, addr string) *fleet {
	b.Resolver = z
	b.Applications = append(b.Applications, client.Application{Name: "app", Addr: addr})
	return newFleet(t, b)
}

// serving are the applications that answer now, without the port.
func (f *fleet) serving() string {
	f.t.Helper()
	counts := f.answers(20, func(int) *client.Request { return get() })
	var names []string
	for _, a := range f.balancer.State().Applications {
		if !a.Drained && counts[a.Address] > 0 {
			names = append(names, strings.TrimSuffix(strings.TrimPrefix(a.Address, "tcp:"), ":9000"))
		}
	}
	return strings.Join(names, " ")
}

// Each address of a name is an application; what comes and goes with a lookup comes and goes; a lookup that fails, or
// finds nothing, changes nothing.
func TestResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{ips: "192.0.2.1 192.0.2.2"}
		f := resolving(t, &client.Balancer{}, z, "tcp:app.example:9000")
		for _, tt := range []struct {
			ips  string
			err  error
			want string
		}{
			{"192.0.2.1 192.0.2.2", nil, "192.0.2.1 192.0.2.2"},
			{"192.0.2.2 192.0.2.1 192.0.2.2", nil, "192.0.2.1 192.0.2.2"},
			{"192.0.2.2 192.0.2.3", nil, "192.0.2.2 192.0.2.3"},
			{"", errors.New("SERVFAIL"), "192.0.2.2 192.0.2.3"},
			{"", nil, "192.0.2.2 192.0.2.3"},
			{"2001:db8::1 192.0.2.2", nil, "192.0.2.2"},
			{"2001:db8::1", nil, "[2001:db8::1]"},
			{"::ffff:192.0.2.9", nil, "192.0.2.9"},
		} {
			z.set(tt.ips, tt.err)
			f.balancer.State() // starts
			time.Sleep(client.DefaultResolveInterval)
			synctest.Wait()
			if got := f.serving(); got != tt.want {
				t.Errorf("%q, %v: %q, want %q", tt.ips, tt.err, got, tt.want)
			}
			l := f.balancer.State().Lookups[0]
			if failed := tt.err != nil || tt.ips == ""; failed != (l.Error != "") || l.Name != "app" || l.Host != "app.example" {
				t.Errorf("state %+v", l)
			}
		}
		if _, err := f.ask(get()); err != nil {
			t.Error(err)
		}
	})
}

// Requests wait for the first answer, which is asked for once a second.
func TestResolveAtFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{err: errors.New("SERVFAIL")}
		f := resolving(t, &client.Balancer{SlowStart: time.Hour}, z, "app.example:9000")
		start := time.Now()
		waits := f.background(t.Context(), get())
		if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "looking up app.example: SERVFAIL") ||
			time.Since(start) != client.DefaultQueueTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		<-waits
		if n, _ := z.lookups(); n < 10 || n > 11 {
			t.Errorf("looked up %d times in ten seconds", n)
		}
		waits = f.background(t.Context(), get())
		z.set("192.0.2.1", nil)
		if got := <-waits; got.body != "tcp:192.0.2.1:9000" || got.err != nil {
			t.Error(got)
		}
		if a := f.state("app/192.0.2.1:9000"); a.Weight != 1 {
			t.Errorf("those that are there at first have a slow start: %+v", a)
		}
		z.set("192.0.2.1 192.0.2.2", nil)
		time.Sleep(client.DefaultResolveInterval)
		synctest.Wait()
		if a := f.state("app/192.0.2.2:9000"); a.Weight > 0.2 {
			t.Errorf("those that come later have none: %+v", a)
		}
	})
}

// What is gone gets nothing new, and what is in flight there ends.
func TestResolveDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{ips: "192.0.2.1"}
		f := resolving(t, &client.Balancer{}, z, "app.example:9000")
		gate := make(chan struct{})
		f.at("tcp:192.0.2.1:9000").manner = gated("old", gate)
		works := f.background(t.Context(), get())
		synctest.Wait()
		z.set("192.0.2.2", nil)
		time.Sleep(client.DefaultResolveInterval)
		synctest.Wait()
		if got := f.serving(); got != "192.0.2.2" {
			t.Error(got)
		}
		if a := f.state("app/192.0.2.1:9000"); !a.Removed || a.InFlight != 1 {
			t.Errorf("state %+v", a)
		}
		close(gate)
		if got := <-works; got.body != "old" || got.err != nil {
			t.Error(got)
		}
		synctest.Wait()
		if n := len(f.balancer.State().Applications); n != 1 {
			t.Errorf("%d applications are left", n)
		}
	})
}

// Drain means all addresses of a name, those that come as well; or one.
func TestDrainName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{ips: "192.0.2.1 192.0.2.2"}
		f := resolving(t, &client.Balancer{MaxQueue: -1}, z, "app.example:9000")
		f.balancer.State()
		synctest.Wait()
		if err := f.balancer.Drain(t.Context(), "app/192.0.2.1:9000"); err != nil {
			t.Fatal(err)
		}
		if got := f.serving(); got != "192.0.2.2" {
			t.Error(got)
		}
		if err := f.balancer.Drain(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		z.set("192.0.2.1 192.0.2.3", nil)
		time.Sleep(client.DefaultResolveInterval)
		synctest.Wait()
		if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) {
			t.Error(err)
		}
		if err := f.balancer.Resume("app"); err != nil {
			t.Fatal(err)
		}
		if got := f.serving(); got != "192.0.2.1 192.0.2.3" {
			t.Error(got)
		}
		if err := f.balancer.Remove(t.Context(), "app"); err != nil {
			t.Fatal(err)
		}
		asked, _ := z.lookups()
		time.Sleep(time.Hour)
		if n, _ := z.lookups(); n != asked || len(f.balancer.State().Applications) != 0 {
			t.Error("a removed name is still looked up")
		}
	})
}

// How often, and of what kind.
func TestResolveInterval(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		want     int
	}{
		{0, 11}, {time.Second, 301}, {-1, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			z := &zone{ips: "192.0.2.1"}
			f := resolving(t, &client.Balancer{ResolveInterval: tt.interval}, z, "tcp4:app.example:9000")
			f.balancer.State()
			time.Sleep(300*time.Second + 1)
			f.balancer.Close()
			if n, network := z.lookups(); n != tt.want || network != "ip4" {
				t.Errorf("%v: looked up %d times as %s, want %d", tt.interval, n, network, tt.want)
			}
		})
	}
}

// A resolver that says nothing is given up, and does not hold Close up.
func TestResolveSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{silent: true}
		f := resolving(t, &client.Balancer{}, z, "app.example:9000")
		f.balancer.State()
		time.Sleep(6 * time.Second)
		if l := f.balancer.State().Lookups[0]; !strings.Contains(l.Error, "deadline") {
			t.Errorf("state %+v", l)
		}
		start := time.Now()
		f.balancer.Close()
		if time.Since(start) != 0 {
			t.Errorf("Close took %v", time.Since(start))
		}
	})
}

// What is no name is not looked up.
func TestNothingToResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		z := &zone{}
		b := &client.Balancer{Resolver: z}
		for _, addr := range []string{"unix:/app", "127.0.0.1:9000", "[::1]:9000", "tcp6:[fe80::1%eth0]:9000", ":9000", "unix:@app"} {
			b.Applications = append(b.Applications, client.Application{Addr: addr})
		}
		newFleet(t, b)
		n, _ := z.lookups()
		if s := b.State(); len(s.Applications) != 6 || len(s.Lookups) != 0 || n != 0 {
			t.Errorf("state %+v", s)
		}
	})
}

// Over TLS, the certificate has to be for the name that was looked up, and not for the address that it stands for.
func TestResolveOverTLS(t *testing.T) {
	for _, tt := range []struct {
		name   string // that the certificate is for
		change func(c *client.Client)
		ok     bool
	}{
		{"app.example", nil, true},
		{"other.example", nil, false},
		{"other.example", func(c *client.Client) { c.ServerName = "other.example" }, true},
		{"other.example", func(c *client.Client) { c.TLSConfig = &tls.Config{ServerName: "other.example"} }, true},
	} {
		app := startTLS(t, func(a *certstest.Authority) certstest.Pair { return a.Pair(tt.name) }, nil)
		_, port, err := net.SplitHostPort(strings.TrimPrefix(app.addr, "tls:"))
		if err != nil {
			t.Fatal(err)
		}
		b := &client.Balancer{
			Resolver:     &zone{ips: "127.0.0.1"},
			Applications: []client.Application{{Name: "app", Addr: "tls:app.example:" + port}},
			NewClient: func(addr string) *client.Client {
				c := &client.Client{Addr: addr, CAFile: app.ca, ErrorLog: app.log.logger()}
				if tt.change != nil {
					tt.change(c)
				}
				return c
			},
		}
		resp, err := b.Do(t.Context(), get())
		if (err == nil) != tt.ok {
			t.Errorf("a certificate for %s: %v", tt.name, err)
		}
		if err == nil {
			resp.Close()
		}
		if s := b.State().Applications[0]; s.Address != app.addr {
			t.Errorf("the address is %q", s.Address)
		}
		b.Close()
	}
}
