package client_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// below, at and above a limit.
func around(limit int) []int { return []int{limit - 1, limit, limit + 1} }

// As many requests as MaxInFlight are with an application, and further ones wait.
func TestMaxInFlight(t *testing.T) {
	for _, n := range around(4) {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, &client.Balancer{MaxInFlight: 2}, "a", "b")
			gate := make(chan struct{})
			f.set("a", gated("a", gate))
			f.set("b", gated("b", gate))
			var all []<-chan reply
			for range n {
				all = append(all, f.background(t.Context(), get()))
			}
			synctest.Wait()
			s := f.balancer.State()
			if inFlight := s.Applications[0].InFlight + s.Applications[1].InFlight; inFlight != min(n, 4) || s.Queue.Length != max(n-4, 0) {
				t.Errorf("%d requests: %d in flight, %d wait", n, inFlight, s.Queue.Length)
			}
			close(gate)
			for _, one := range all {
				if got := <-one; got.err != nil {
					t.Error(got.err)
				}
			}
		})
	}
}

// An application's own limit counts more than the Balancer's; below zero there is none.
func TestMaxInFlightOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxInFlight: 2, MaxQueue: -1, Applications: []client.Application{
			{Name: "a", Addr: "unix:/a", MaxInFlight: 1}, {Name: "b", Addr: "unix:/b"}, {Name: "c", Addr: "unix:/c", MaxInFlight: -1},
		}})
		for _, name := range []string{"a", "b", "c"} {
			f.set(name, half)
		}
		for _, r := range hold(t, f.balancer, 20) {
			defer r.Close()
		}
		for name, want := range map[string]int{"a": 1, "b": 2, "c": 17} {
			if got := f.state(name).InFlight; got != want {
				t.Errorf("%s has %d in flight, want %d", name, got, want)
			}
		}
	})
}

// A response is in flight until it is over or closed, and not until it is read: what the application has ended is no
// concern of its any more.
func TestInFlightUntilTheEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		manner manner
		end    func(*client.Response)
		early  bool // nothing has to be done for the end
	}{
		"over":        {well, func(*client.Response) {}, true},
		"read":        {inTwo("half"), func(r *client.Response) { r.Wait() }, false},
		"closed":      {half, func(r *client.Response) { r.Close() }, false},
		"closed soon": {well, func(r *client.Response) { r.Close() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxInFlight: 1, MaxFailures: -1}, "a")
				f.set("a", tt.manner)
				resp := hold(t, f.balancer, 1)[0]
				synctest.Wait()
				if got := f.state("a").InFlight; (got == 0) != tt.early {
					t.Errorf("%d in flight while the response is open", got)
				}
				next := f.background(t.Context(), get())
				tt.end(resp)
				f.set("a", well)
				if got := <-next; got.err != nil && tt.early {
					t.Error(got.err)
				}
				if got := f.state("a").InFlight; got != 0 {
					t.Errorf("%d in flight at the end", got)
				}
				resp.Close()
			})
		})
	}
}

// As many wait as MaxQueue says; further ones fail at once.
func TestMaxQueue(t *testing.T) {
	for _, tt := range []struct{ limit, most int }{{0, client.DefaultMaxQueue}, {1, 1}, {3, 3}, {-1, 0}} {
		for _, n := range around(tt.most) {
			if n < 0 {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxInFlight: 1, MaxQueue: tt.limit}, "a")
				f.set("a", half)
				held := hold(t, f.balancer, 1)
				var all []<-chan reply
				for range n {
					all = append(all, f.background(t.Context(), get()))
				}
				synctest.Wait()
				q := f.balancer.State().Queue
				if q.Length != min(n, tt.most) || q.Refused != int64(n-q.Length) || q.Total != int64(q.Length) {
					t.Errorf("limit %d, %d requests: %+v", tt.limit, n, q)
				}
				f.set("a", well)
				held[0].Close()
				refused := 0
				for _, one := range all {
					if got := <-one; errors.Is(got.err, client.ErrUnavailable) {
						refused++
					} else if got.err != nil {
						t.Error(got.err)
					}
				}
				if refused != max(0, n-tt.most) {
					t.Errorf("limit %d, %d requests: %d are refused", tt.limit, n, refused)
				}
			})
		}
	}
}

// Who waits longest is next.
func TestQueueIsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxInFlight: 1}, "a")
		gate := make(chan struct{})
		f.set("a", gated("a", gate))
		var all []<-chan reply
		for range 10 {
			all = append(all, f.background(t.Context(), get()))
			synctest.Wait()
		}
		for i := range all {
			gate <- struct{}{}
			synctest.Wait()
			for k, one := range all {
				select {
				case got := <-one:
					if k != i || got.err != nil {
						t.Errorf("request %d of the queue is answered as number %d, %v", k, i, got.err)
					}
				default:
				}
			}
		}
	})
}

// A request waits for QueueTimeout, to the moment, in all.
func TestQueueTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, time.Second, -1} {
		want := timeout
		if timeout == 0 {
			want = client.DefaultQueueTimeout
		}
		for _, early := range []time.Duration{-1, 0, 1} {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxInFlight: 1, QueueTimeout: timeout}, "a")
				f.set("a", half)
				held := hold(t, f.balancer, 1)
				f.set("a", well)
				start := time.Now()
				waits := f.background(t.Context(), get())
				synctest.Wait()
				if timeout < 0 {
					time.Sleep(1000 * time.Hour)
					held[0].Close()
					if got := <-waits; got.err != nil {
						t.Error(got.err)
					}
					return
				}
				time.Sleep(want + early)
				took := time.Since(start)
				synctest.Wait()
				held[0].Close()
				got := <-waits
				if timedOut := errors.Is(got.err, client.ErrUnavailable); timedOut != (early >= 0) || !timedOut && got.err != nil {
					t.Errorf("a place after %v: %v", took, got.err)
				}
				if q := f.balancer.State().Queue; q.Length != 0 || (q.TimedOut == 1) != (early >= 0) {
					t.Errorf("%+v", q)
				}
			})
		}
	}
}

// A request that waits can be given up, and takes no place then; Close ends it as well.
func TestQueueGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxInFlight: 1}, "a")
		f.set("a", half)
		held := hold(t, f.balancer, 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		first, second := f.background(ctx, get()), f.background(t.Context(), get())
		synctest.Wait()
		cancel(errWhy)
		if got := <-first; !errors.Is(got.err, errWhy) {
			t.Error(got.err)
		}
		if _, err := f.balancer.Do(ctx, get()); !errors.Is(err, errWhy) {
			t.Error(err)
		}
		if q := f.balancer.State().Queue; q.Length != 1 {
			t.Errorf("%+v", q)
		}
		f.balancer.Close()
		if got := <-second; !errors.Is(got.err, client.ErrClosed) {
			t.Error(got.err)
		}
		if _, err := held[0].Read(make([]byte, 10)); err == nil {
			_, err = held[0].Wait()
			if !errors.Is(err, client.ErrClosed) {
				t.Error(err)
			}
		}
		if _, err := f.balancer.Do(t.Context(), get()); !errors.Is(err, client.ErrClosed) {
			t.Error(err)
		}
	})
}

// A request that waits because all are out of service goes on as soon as the first may be tried.
func TestQueueWhileEjected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1, EjectionTime: time.Second}, "a", "b")
		f.set("a", dying)
		f.set("b", dying)
		f.fail(1)
		time.Sleep(time.Second / 2)
		f.set("a", well)
		f.set("b", well)
		start := time.Now()
		if _, err := f.ask(get()); err != nil || time.Since(start) != time.Second/2 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// Each application is tried once, and as many of them as MaxRetries says.
func TestMaxRetries(t *testing.T) {
	const all = "abcdef"
	for _, tt := range []struct{ limit, tries int }{
		{0, client.DefaultMaxRetries + 1}, {1, 2}, {4, 5}, {5, 6}, {6, 6}, {-1, 6},
	} {
		for _, bad := range around(tt.tries) {
			if bad > len(all) {
				continue
			}
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxRetries: tt.limit}, strings.Split(all, "")...)
				for _, name := range all[:bad] {
					f.set(string(name), dying)
				}
				got, err := f.ask(get())
				if ok := err == nil; ok != (bad < tt.tries && bad < len(all)) {
					t.Errorf("limit %d, %d are bad: %q, %v", tt.limit, bad, got, err)
				}
				tries := 0
				for _, name := range all {
					n := f.asked(string(name))
					if n > 1 {
						t.Errorf("%c was asked %d times", name, n)
					}
					tries += n
				}
				if want := min(bad+1, tt.tries); tries != want {
					t.Errorf("limit %d, %d are bad: %d are tried, want %d", tt.limit, bad, tries, want)
				}
			})
		}
	}
}

func TestNoRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{NoRetry: true}, "a", "b")
		f.set("a", full)
		var refused *client.RefusedError
		if _, err := f.ask(get()); !errors.As(err, &refused) || f.asked("b") != 0 {
			t.Errorf("%v, b was asked %d times", err, f.asked("b"))
		}
	})
}

// A body arrives whole at the second application, if it can be rewound; if it cannot, a request moves as long as nothing
// was read.
func TestRetryWithBody(t *testing.T) {
	seekable := func() *client.Request { return post(strings.NewReader("the body")) }
	stream := func() *client.Request { return post(io.MultiReader(strings.NewReader("the body"))) }
	for _, tt := range []struct {
		name   string
		manner manner
		req    func() *client.Request
		moves  bool
	}{
		{"refused", full, seekable, true},
		{"refused, stream", full, stream, false},
		{"absent", absent, seekable, true},
		{"absent, stream", absent, stream, true},
		{"vanished, stream", vanished, stream, true},
		{"dying", dying, seekable, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{}, "a", "b")
				f.set("a", tt.manner)
				f.set("b", copying)
				got, err := f.ask(tt.req())
				if tt.moves && (got != "the body" || err != nil) || !tt.moves && (err == nil || f.asked("b") != 0) {
					t.Errorf("answer %q, %v; b was asked %d times", got, err, f.asked("b"))
				}
			})
		})
	}
}

// Where nobody listens, others are tried at once, whatever the number of them; when all have been, the request waits
// for one to come back, and for no longer than QueueTimeout.
func TestAbsentForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxRetries: 1}, "a", "b", "c", "d")
		for _, name := range []string{"a", "b", "c"} {
			f.set(name, absent)
		}
		start := time.Now()
		f.expect("d")
		if took := time.Since(start); took != 0 {
			t.Errorf("another one is tried after %v", took)
		}
		f.set("d", absent)
		waits := f.background(t.Context(), post(strings.NewReader("body")))
		time.Sleep(3 * time.Second)
		f.set("b", well)
		if got := <-waits; got.body != "b" || got.err != nil || time.Since(start) > 8*time.Second {
			t.Errorf("%v after %v", got, time.Since(start))
		}
		f.set("b", absent)
		start = time.Now()
		_, err := f.ask(get())
		var refused *net.OpError
		if !errors.Is(err, client.ErrUnavailable) || !errors.As(err, &refused) || time.Since(start) != client.DefaultQueueTimeout {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// The same with applications that are never taken out of service: they are dialled with pauses.
func TestAbsentWithoutEjection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: -1}, "a")
		f.set("a", absent)
		waits := f.background(t.Context(), get())
		time.Sleep(5 * time.Second)
		f.set("a", well)
		start := time.Now()
		if got := <-waits; got.err != nil || time.Since(start) > 100*time.Millisecond {
			t.Errorf("%v after %v", got, time.Since(start))
		}
		if n := f.dialled("a"); n < 50 || n > 60 {
			t.Errorf("dialled %d times in 5 s", n)
		}
	})
}

// Nothing to hope for is an error at once.
func TestNoApplication(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &client.Balancer{}
		defer b.Close()
		start := time.Now()
		if _, err := b.Do(t.Context(), get()); !errors.Is(err, client.ErrUnavailable) {
			t.Error(err)
		}
		f := newFleet(t, &client.Balancer{}, "a")
		if err := f.balancer.Drain(t.Context(), "a"); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) || time.Since(start) != 0 {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

func TestBalancerMisuse(t *testing.T) {
	app := func(apps ...client.Application) []client.Application { return apps }
	for _, tt := range []struct {
		b    *client.Balancer
		says string
	}{
		{&client.Balancer{Policy: "random"}, `no policy "random"`},
		{&client.Balancer{Policy: client.ConsistentHash}, "needs a Key"},
		{&client.Balancer{Check: &client.Check{}}, "needs a Request"},
		{&client.Balancer{Applications: app(client.Application{})}, "address is empty"},
		{&client.Balancer{Applications: app(client.Application{Addr: "app.sock"})}, "is not an address"},
		{&client.Balancer{Applications: app(client.Application{Addr: "/a"}, client.Application{Addr: "/a"})}, `two applications "/a"`},
		{&client.Balancer{Applications: app(client.Application{Addr: "/a", Weight: -1})}, "weight -1"},
	} {
		_, err := tt.b.Do(t.Context(), get())
		if err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%v, want %q in it", err, tt.says)
		}
		if err := tt.b.Close(); err != nil {
			t.Error(err)
		}
	}
	b := &client.Balancer{}
	for name, err := range map[string]error{
		"Drain": b.Drain(t.Context(), "x"), "Resume": b.Resume("x"), "Remove": b.Remove(t.Context(), "x"),
	} {
		if err == nil || !strings.Contains(err.Error(), `no application "x"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.Close()
	for name, err := range map[string]error{
		"Drain": b.Drain(t.Context(), "x"), "Remove": b.Remove(t.Context(), "x"), "Add": b.Add(client.Application{Addr: "/a"}),
	} {
		if !errors.Is(err, client.ErrClosed) {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}
