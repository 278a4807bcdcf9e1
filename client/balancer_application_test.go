package client_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// weights are those of the applications, as State has them.
func (f *fleet) weights() map[string]float64 {
	weights := make(map[string]float64)
	for _, a := range f.balancer.State().Applications {
		weights[a.Name] = a.Weight
	}
	return weights
}

// An application that is new or comes back begins with a tenth of its share, which grows evenly. Those that are there from
// the beginning have it at once.
func TestSlowStart(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T, f *fleet){
		"added": func(t *testing.T, f *fleet) {
			if err := f.balancer.Add(client.Application{Name: "n", Addr: "unix:/n"}); err != nil {
				t.Fatal(err)
			}
		},
		"resumed": func(t *testing.T, f *fleet) {
			if err := errors.Join(f.balancer.Add(client.Application{Name: "n", Addr: "unix:/n"}), f.balancer.Drain(t.Context(), "n")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			if err := f.balancer.Resume("n"); err != nil {
				t.Fatal(err)
			}
		},
		"recovered": func(t *testing.T, f *fleet) {
			f.set("n", barred)
			if err := f.balancer.Add(client.Application{Name: "n", Addr: "unix:/n"}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			f.expect("o")
			for f.state("n").Health != client.HealthEjected {
				f.expect("o")
			}
			f.set("n", well)
			time.Sleep(time.Hour)
			for f.state("n").Health != client.HealthUp {
				if _, err := f.ask(get()); err != nil {
					t.Fatal(err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{SlowStart: 100 * time.Second}, "o")
				f.expect("o")
				if w := f.weights()["o"]; w != 1 {
					t.Errorf("the first one's weight is %v", w)
				}
				begin(t, f)
				for _, part := range []float64{0.1, 0.1, 0.2, 0.5, 0.9, 1, 1} {
					if w := f.weights()["n"]; math.Abs(w-part) > 1e-9 {
						t.Errorf("the weight is %v, want %v", w, part)
					}
					got := f.answers(330, func(int) *client.Request { return get() })
					if want := 330 * part / (1 + part); math.Abs(float64(got["n"])-want) > 3 {
						t.Errorf("at %v: %d of 330 requests, want %.0f", part, got["n"], want)
					}
					switch part {
					case 0.1:
						time.Sleep(10 * time.Second)
					case 0.2:
						time.Sleep(30 * time.Second)
					case 0.5:
						time.Sleep(40 * time.Second)
					case 0.9:
						time.Sleep(10 * time.Second)
					case 1:
						time.Sleep(time.Hour)
					}
				}
			})
		})
	}
}

// Keys come to a new application one after the other, and never go from one old one to another.
func TestSlowStartOfConsistentHash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys = 300
		f := newFleet(t, &client.Balancer{
			Policy: client.ConsistentHash, Key: client.KeyParam("REMOTE_ADDR"), SlowStart: 100 * time.Second,
		}, "a", "b", "c")
		before := f.whose(keys)
		if err := f.balancer.Add(client.Application{Name: "n", Addr: "unix:/n"}); err != nil {
			t.Fatal(err)
		}
		last := 0
		for range 10 {
			owners := f.whose(keys)
			for i, now := range owners {
				if now != before[i] && now != "n" || before[i] == "n" && now != "n" {
					t.Errorf("key %d went from %s to %s", i, before[i], now)
				}
			}
			taken := shares(owners)["n"]
			if taken < last {
				t.Errorf("the new one had %d keys and has %d", last, taken)
			}
			before, last = owners, taken
			time.Sleep(10 * time.Second)
		}
		if last < keys/4*7/10 || last > keys/4*13/10 {
			t.Errorf("the new one has %d of %d keys", last, keys)
		}
	})
}

// Draining lets what is in flight end, and gives nothing new, until Resume.
func TestDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{}, "a", "b")
		gate := make(chan struct{})
		f.set("a", gated("a", gate))
		works := f.background(t.Context(), get())
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.balancer.Drain(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a request in flight, Drain returns %v", err)
		}
		if a := f.state("a"); !a.Drained || a.InFlight != 1 {
			t.Errorf("state %+v", a)
		}
		f.expect("bbbb")
		drained := make(chan error, 1)
		go func() { drained <- f.balancer.Drain(t.Context(), "a") }()
		synctest.Wait()
		select {
		case err := <-drained:
			t.Errorf("Drain returns %v before the end", err)
		default:
		}
		close(gate)
		if got := <-works; got.body != "a" || got.err != nil {
			t.Errorf("what was in flight: %v", got)
		}
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if err := f.balancer.Drain(t.Context(), "a"); err != nil {
			t.Errorf("a second Drain: %v", err)
		}
		f.expect("bbbb")
		if err := f.balancer.Resume("a"); err != nil {
			t.Error(err)
		}
		if got := f.answers(10, func(int) *client.Request { return get() }); got["a"] != 5 {
			t.Errorf("after Resume: %v", got)
		}
	})
}

// A Drain that waits ends with Resume, and with Close.
func TestDrainEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{}, "a")
		f.set("a", half)
		defer hold(t, f.balancer, 1)[0].Close()
		for name, end := range map[string]func(){
			"Resume": func() { f.balancer.Resume("a") },
			"Close":  func() { f.balancer.Close() },
		} {
			if name == "Close" {
				continue // comes last
			}
			drainEnds(t, f, name, end)
		}
		drainEnds(t, f, "Close", func() { f.balancer.Close() })
	})
}

func drainEnds(t *testing.T, f *fleet, name string, end func()) {
	t.Helper()
	drained := make(chan error, 1)
	go func() { drained <- f.balancer.Drain(t.Context(), "a") }()
	synctest.Wait()
	end()
	if err := <-drained; err == nil {
		t.Errorf("%s ends Drain without an error", name)
	}
}

// A request that waits goes to the application that is added, or resumed.
func TestQueueEndsWithAnother(t *testing.T) {
	for name, more := range map[string]func(f *fleet) error{
		"Add":    func(f *fleet) error { return f.balancer.Add(client.Application{Name: "n", Addr: "unix:/n"}) },
		"Resume": func(f *fleet) error { return f.balancer.Resume("b") },
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, &client.Balancer{MaxInFlight: 1}, "a", "b")
			f.set("a", half)
			defer hold(t, f.balancer, 1)[0].Close()
			if err := f.balancer.Drain(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			waits := f.background(t.Context(), get())
			synctest.Wait()
			start := time.Now()
			if err := more(f); err != nil {
				t.Fatal(err)
			}
			if got := <-waits; got.err != nil || time.Since(start) != 0 {
				t.Errorf("%s: %v after %v", name, got, time.Since(start))
			}
		})
	}
}

// Removing is draining, and then the connections are closed and nothing is left; what is in flight ends by itself.
func TestRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{
			NewClient: func(string) *client.Client { return &client.Client{KeepConn: true} },
			Check:     &client.Check{Request: get, Judge: func(*client.Response) error { return nil }},
		}, "a", "b")
		gate := make(chan struct{})
		f.expect("ab")
		f.set("a", gated("a", gate))
		works := f.background(t.Context(), get())
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.balancer.Remove(ctx, "a"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a request in flight, Remove returns %v", err)
		}
		if a := f.state("a"); !a.Removed || a.InFlight != 1 {
			t.Errorf("state %+v", a)
		}
		f.expect("bbb")
		if err := f.balancer.Drain(t.Context(), "a"); err == nil {
			t.Error("a removed application can be drained")
		}
		close(gate)
		if got := <-works; got.body != "a" || got.err != nil {
			t.Errorf("what was in flight: %v", got)
		}
		synctest.Wait()
		if s := f.balancer.State(); len(s.Applications) != 1 {
			t.Errorf("state %+v", s.Applications)
		}
		asked := f.asked("a")
		time.Sleep(time.Hour)
		if n := f.asked("a"); n != asked {
			t.Errorf("it was checked %d times since", n-asked)
		}
		if err := f.balancer.Remove(t.Context(), "b"); err != nil {
			t.Error(err)
		}
		if err := f.balancer.Add(client.Application{Name: "a", Addr: "unix:/a"}); err != nil {
			t.Error(err)
		}
		f.set("a", well)
		f.expect("aa")
	})
}
