package client_test

import (
	"context"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A stage is an application that the test plays itself, in a bubble of synctest: it takes what arrives, and says nothing that
// the test does not have it say.
type stage struct {
	t     *testing.T
	c     *client.Client
	dials atomic.Int32

	mu    sync.Mutex
	peers []*peer
	slow  chan struct{} // closed when dials may end; nil if they may
}

// A peer is a connection that a stage has accepted.
type peer struct {
	*fakeapp.Conn
	closed  bool               // by the client
	started []*fakeapp.Request // their parameters are there
	arrived []*fakeapp.Request // they are there whole, or were aborted
	stage   *stage

	answered map[*fakeapp.Request]bool // by answer
	atOnce   int                       // the most requests that were there and not answered
	pipe     net.Conn
}

// newStage returns a stage whose only client is c, which it closes at the end of the test.
func newStage(t *testing.T, c *client.Client) *stage {
	s := &stage{t: t, c: c}
	c.Dial = s.dial
	t.Cleanup(func() {
		c.Close()
		synctest.Wait()
	})
	return s
}

// slowly has dials wait for quickly.
func (s *stage) slowly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slow = make(chan struct{})
}

func (s *stage) quickly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.slow)
	s.slow = nil
}

func (s *stage) dial(ctx context.Context) (net.Conn, error) {
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if slow != nil {
		select {
		case <-slow:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	here, there := net.Pipe()
	go fakeapp.Run(s.t, there, int(s.dials.Add(1)), func(a *fakeapp.Conn) {
		p := &peer{Conn: a, stage: s, pipe: there}
		s.mu.Lock()
		s.peers = append(s.peers, p)
		s.mu.Unlock()
		a.Begun = func(r *fakeapp.Request) {
			s.mu.Lock()
			defer s.mu.Unlock()
			p.started = append(p.started, r)
		}
		for r := a.Any(); r != nil; r = a.Any() {
			s.mu.Lock()
			if !slices.Contains(p.arrived, r) {
				p.arrived = append(p.arrived, r)
				p.atOnce = max(p.atOnce, len(p.arrived)-len(p.answered))
			}
			s.mu.Unlock()
		}
		s.mu.Lock()
		p.closed = true
		s.mu.Unlock()
	})
	return here, nil
}

// conn returns the n-th connection, from 1, once nothing happens any more.
func (s *stage) conn(n int) *peer {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.peers {
		if p.N == n {
			return p
		}
	}
	s.t.Fatalf("there is no connection %d", n)
	return nil
}

// conns returns how many connections were ever made.
func (s *stage) conns() int {
	synctest.Wait()
	return int(s.dials.Load())
}

// names returns those of the requests that have arrived on the connection, in order.
func (p *peer) names() string {
	synctest.Wait()
	p.stage.mu.Lock()
	defer p.stage.mu.Unlock()
	var names []string
	for _, r := range p.arrived {
		names = append(names, r.Params["NAME"])
	}
	return strings.Join(names, " ")
}

// request returns the one with a name, once it is there whole.
func (p *peer) request(name string) *fakeapp.Request {
	p.stage.t.Helper()
	return p.find(name, &p.arrived)
}

// begun returns the one with a name, once its parameters are there.
func (p *peer) begun(name string) *fakeapp.Request {
	p.stage.t.Helper()
	return p.find(name, &p.started)
}

func (p *peer) find(name string, in *[]*fakeapp.Request) *fakeapp.Request {
	p.stage.t.Helper()
	synctest.Wait()
	p.stage.mu.Lock()
	defer p.stage.mu.Unlock()
	for _, r := range *in {
		if r.Params["NAME"] == name {
			return r
		}
	}
	p.stage.t.Fatalf("request %q has not arrived", name)
	return nil
}

// isClosed reports whether the client has closed the connection.
func (p *peer) isClosed() bool {
	synctest.Wait()
	p.stage.mu.Lock()
	defer p.stage.mu.Unlock()
	return p.closed
}

// answerAll answers all requests that have arrived whole, and those that come then.
func (s *stage) answerAll() {
	for again := true; again; {
		synctest.Wait()
		again = false
		for n := 1; n <= s.conns(); n++ {
			p := s.conn(n)
			for _, r := range p.arrived {
				if !p.answered[r] && !p.isClosed() {
					again = true
					p.answer(r.Params["NAME"])
				}
			}
		}
	}
}

// answer answers a request with its name.
func (p *peer) answer(name string) {
	r := p.request(name)
	p.stage.mu.Lock()
	if p.answered == nil {
		p.answered = make(map[*fakeapp.Request]bool)
	}
	p.answered[r] = true
	p.stage.mu.Unlock()
	p.Say(r.Answer(name))
}

// die is what the end of the application does to the connection.
func (p *peer) die() {
	p.pipe.Close()
	synctest.Wait()
}

// A call is a request on its way.
type call struct {
	t    *testing.T
	done chan struct{}
	body string
	end  protocol.EndRequest
	err  error
}

// named is a request that may be repeated.
func named(name string) *client.Request {
	req := get()
	req.Params = append(req.Params, client.Pair{Name: "NAME", Value: name})
	return req
}

// ask does a request and reads the response to its end, in a goroutine of its own.
func (s *stage) ask(req *client.Request) *call { return s.askIn(s.t.Context(), req) }

// askIn is ask with a context.
func (s *stage) askIn(ctx context.Context, req *client.Request) *call {
	k := &call{t: s.t, done: make(chan struct{})}
	go func() {
		defer close(k.done)
		resp, err := s.c.Do(ctx, req)
		if err != nil {
			k.err = err
			return
		}
		defer resp.Close()
		body, err := io.ReadAll(resp)
		k.body, k.err = string(body), err
		if err == nil {
			k.end, k.err = resp.Wait()
		}
	}()
	synctest.Wait()
	return k
}

// askAll asks requests of these names, one after the other.
func (s *stage) askAll(names string) (calls []*call) {
	for _, name := range strings.Fields(names) {
		calls = append(calls, s.ask(named(name)))
	}
	return calls
}

// isDone reports whether the call has ended, once nothing happens any more.
func (k *call) isDone() bool {
	synctest.Wait()
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// expect fails the test unless the call has ended with the answer.
func (k *call) expect(want string) {
	k.t.Helper()
	switch {
	case !k.isDone():
		k.t.Errorf("no answer yet, want %q", want)
	case k.err != nil || k.body != want:
		k.t.Errorf("answer %q, %v; want %q", clip(k.body), k.err, clip(want))
	}
}

// open does a request and returns its response, which nobody reads; the first piece of it must be said already, or be said
// by say.
func (s *stage) open(req *client.Request, say func()) *client.Response {
	s.t.Helper()
	var resp *client.Response
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		resp, err = s.c.Do(s.t.Context(), req)
	}()
	synctest.Wait()
	say()
	<-done
	if err != nil {
		s.t.Fatal(err)
	}
	return resp
}
