package client_test

import (
	"context"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A fleet is the applications behind a Balancer, over pipes. Each is reached at "unix:/" and its name, or at whatever
// address a name stands for, and answers with its name.
type fleet struct {
	t        *testing.T
	balancer *client.Balancer

	mu      sync.Mutex
	ships   map[string]*ship
	scripts sync.WaitGroup
}

// A ship is one application of a fleet.
type ship struct {
	fleet *fleet
	name  string

	mu      sync.Mutex
	manner  manner
	dialled int
	asked   int
}

// A manner is how an application behaves. The zero value answers.
type manner struct {
	dial   error                                 // what dialling it returns
	silent bool                                  // dialling it has no end
	answer func(*fakeapp.Conn, *fakeapp.Request) // in place of its name; false ends the connection
}

// newFleet has a Balancer stand before ships of these names, with unix addresses, besides those that it has already.
func newFleet(t *testing.T, b *client.Balancer, names ...string) *fleet {
	t.Helper()
	f := &fleet{t: t, balancer: b, ships: make(map[string]*ship)}
	for _, name := range names {
		b.Applications = append(b.Applications, client.Application{Name: name, Addr: "unix:/" + name})
	}
	inner := b.NewClient
	b.NewClient = func(addr string) *client.Client {
		c := &client.Client{DialTimeout: time.Second}
		if inner != nil {
			c = inner(addr)
		}
		c.Dial = f.at(addr).dial
		return c
	}
	t.Cleanup(f.scripts.Wait)
	t.Cleanup(func() { b.Close() })
	return f
}

// at returns the ship at an address.
func (f *fleet) at(addr string) *ship {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ships[addr] == nil {
		name := addr
		if rest, ok := cutUnix(addr); ok {
			name = rest
		}
		f.ships[addr] = &ship{fleet: f, name: name}
	}
	return f.ships[addr]
}

func cutUnix(addr string) (string, bool) {
	const prefix = "unix:/"
	if len(addr) > len(prefix) && addr[:len(prefix)] == prefix {
		return addr[len(prefix):], true
	}
	return addr, false
}

// set has an application behave in some manner from now on.
func (f *fleet) set(name string, m manner) {
	s := f.at("unix:/" + name)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = m
}

// asked is how many requests an application has read.
func (f *fleet) asked(name string) int {
	s := f.at("unix:/" + name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// dialled is how often an application was dialled.
func (f *fleet) dialled(name string) int {
	s := f.at("unix:/" + name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialled
}

func (s *ship) dial(ctx context.Context) (net.Conn, error) {
	s.mu.Lock()
	m := s.manner
	s.dialled++
	n := s.dialled
	s.mu.Unlock()
	if m.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if m.dial != nil {
		return nil, m.dial
	}
	here, there := net.Pipe()
	s.fleet.scripts.Go(func() { fakeapp.Run(s.fleet.t, there, n, s.serve) })
	return here, nil
}

func (s *ship) serve(a *fakeapp.Conn) {
	for r := a.Request(); r != nil; r = a.Request() {
		s.mu.Lock()
		m := s.manner
		s.asked++
		s.mu.Unlock()
		if m.answer == nil {
			a.Say(r.Answer(s.name))
			continue
		}
		m.answer(a, r)
	}
}

// The manners of applications.
var (
	well     = manner{}
	absent   = manner{dial: dialError(syscall.ECONNREFUSED)}
	barred   = manner{dial: dialError(syscall.EACCES)}
	vanished = manner{silent: true}
	full     = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.End(0, protocol.StatusOverloaded)) }}
	solitary = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.End(0, protocol.StatusCantMultiplex)) }}
	foreign  = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.End(0, protocol.StatusUnknownRole)) }}
	mute     = manner{answer: func(a *fakeapp.Conn, _ *fakeapp.Request) { a.AwaitClose() }}
	dying    = manner{answer: func(a *fakeapp.Conn, _ *fakeapp.Request) { a.Close() }}
	babbling = manner{answer: func(a *fakeapp.Conn, _ *fakeapp.Request) { a.Write([]byte("HTTP/1.1 400 Bad Request\r\n")) }}
	cut      = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
		a.Say(r.Stdout("half"))
		a.Close()
	}}
)

// slow answers with "slow" after a time.
func slow(d time.Duration) manner {
	return manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
		time.Sleep(d)
		a.Say(r.Answer("slow"))
	}}
}

// gated answers with a name for each value that comes from the gate.
func gated(name string, gate <-chan struct{}) manner {
	return manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
		<-gate
		a.Say(r.Answer(name))
	}}
}

// ask does a request and returns who has answered.
func (f *fleet) ask(req *client.Request) (string, error) {
	resp, err := f.balancer.Do(f.t.Context(), req)
	if err != nil {
		return "", err
	}
	defer resp.Close()
	body, err := io.ReadAll(resp)
	return string(body), err
}

// expect fails unless the applications that answer are, one after the other, those whose names have these letters.
func (f *fleet) expect(letters string) {
	f.t.Helper()
	for i, want := range letters {
		if got, err := f.ask(get()); err != nil || got != string(want) {
			f.t.Fatalf("request %d of %q is answered by %q, %v", i+1, letters, got, err)
		}
	}
}

// answers does n requests and counts who answers.
func (f *fleet) answers(n int, req func(i int) *client.Request) map[string]int {
	f.t.Helper()
	counts := make(map[string]int)
	for i := range n {
		got, err := f.ask(req(i))
		if err != nil {
			f.t.Fatalf("request %d: %v", i, err)
		}
		counts[got]++
	}
	return counts
}

// state returns what the Balancer knows of an application.
func (f *fleet) state(name string) client.ApplicationState {
	f.t.Helper()
	for _, a := range f.balancer.State().Applications {
		if a.Name == name {
			return a
		}
	}
	f.t.Fatalf("there is no application %q", name)
	return client.ApplicationState{}
}

// health fails unless an application is in a state of health.
func (f *fleet) health(name string, want client.Health) {
	f.t.Helper()
	if got := f.state(name).Health; got != want {
		f.t.Errorf("%s is %v, want %v", name, got, want)
	}
}

// background does a request in a goroutine, which the test then waits for with the result.
func (f *fleet) background(ctx context.Context, req *client.Request) <-chan reply {
	done := make(chan reply, 1)
	go func() {
		resp, err := f.balancer.Do(ctx, req)
		if err != nil {
			done <- reply{err: err}
			return
		}
		defer resp.Close()
		body, err := io.ReadAll(resp)
		done <- reply{string(body), err}
	}()
	return done
}

// A reply is how a request ended.
type reply struct {
	body string
	err  error
}

// half begins to answer with its number of bytes unknown, and goes on until the other side has closed.
var half = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
	a.Say(r.Stdout("half"))
	a.AwaitClose()
}}

// copying answers with what it was sent.
var copying = manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) { a.Say(r.Answer(r.Stdin)) }}

// inTwo answers with a part, and a second later with the rest.
func inTwo(part string) manner {
	return manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
		a.Say(r.Stdout(part))
		time.Sleep(time.Second)
		a.Say(r.Answer(""))
	}}
}
