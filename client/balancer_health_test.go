package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// Every transition, as it is meant to be.
func TestHealthTable(t *testing.T) {
	for _, tt := range []struct {
		state client.Health
		next  string // for each of client.HealthEvents
	}{
		{client.HealthUp, "up up ejected up down up"},
		{client.HealthEjected, "up ejected ejected trial down ejected"},
		{client.HealthTrial, "up ejected ejected trial down trial"},
		{client.HealthDown, "down down down down down up"},
	} {
		for event, want := range strings.Fields(tt.next) {
			if got := client.NextHealth(tt.state, event).String(); got != want {
				t.Errorf("%v, %s: %s, want %s", tt.state, client.HealthEvents[event], got, want)
			}
		}
	}
	if got := client.Health(42).String(); got != "Health(42)" {
		t.Error(got)
	}
}

// fail has an application fail n requests.
func (f *fleet) fail(n int) {
	f.t.Helper()
	for range n {
		if got, err := f.ask(get()); err == nil {
			f.t.Fatalf("answer %q where a failure was due", got)
		}
	}
}

// One failure below the limit does nothing; at it, the application is out.
func TestMaxFailures(t *testing.T) {
	for _, tt := range []struct{ limit, failures int }{
		{0, client.DefaultMaxFailures}, {1, 1}, {2, 2}, {5, 5}, {-1, 100},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, &client.Balancer{MaxFailures: tt.limit, MaxQueue: -1}, "a")
			f.set("a", barred)
			f.fail(tt.failures - 1)
			f.health("a", client.HealthUp)
			f.fail(1)
			if tt.limit < 0 {
				f.health("a", client.HealthUp)
				return
			}
			f.health("a", client.HealthEjected)
			dialled := f.dialled("a")
			if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) || f.dialled("a") != dialled {
				t.Errorf("one more: %v, dialled %d times", err, f.dialled("a")-dialled)
			}
		})
	}
}

// What was counted before an ejection does not count again behind it.
func TestFailuresAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxQueue: -1}, "a")
		for range 2 {
			f.set("a", barred)
			f.fail(client.DefaultMaxFailures - 1)
			f.health("a", client.HealthUp)
			f.fail(1)
			f.health("a", client.HealthEjected)
			time.Sleep(client.DefaultEjectionTime * 2)
			f.set("a", well)
			f.expect("a")
		}
	})
}

// Connections that were kept from before an ejection may lead nowhere: the trial makes one.
func TestTrialDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{
			MaxFailures: 1, ResponseTimeout: time.Second, MaxQueue: -1,
			NewClient: func(string) *client.Client { return &client.Client{KeepConn: true} },
		}, "a")
		gate := make(chan struct{})
		f.set("a", gated("a", gate))
		both := []<-chan reply{f.background(t.Context(), get()), f.background(t.Context(), get())}
		synctest.Wait()
		close(gate)
		for _, one := range both {
			if got := <-one; got.err != nil {
				t.Fatal(got.err)
			}
		}
		f.set("a", manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
			if a.N <= 2 {
				mute.answer(a, r)
			} else {
				a.Say(r.Answer("new"))
			}
		}})
		f.fail(1)
		f.health("a", client.HealthEjected)
		time.Sleep(client.DefaultEjectionTime)
		if got, err := f.ask(get()); got != "new" || err != nil {
			t.Errorf("the trial: %q, %v", got, err)
		}
	})
}

// Failures count within the window, and for a success as well.
func TestFailureWindow(t *testing.T) {
	for _, tt := range []struct {
		window, pause time.Duration
		want          client.Health
	}{
		{0, client.DefaultFailureWindow / 2, client.HealthEjected},
		{0, client.DefaultFailureWindow/2 + 1, client.HealthUp},
		{2 * time.Second, time.Second - 1, client.HealthEjected},
		{2 * time.Second, time.Second, client.HealthEjected},
		{2 * time.Second, time.Second + 1, client.HealthUp},
		{-1, 1000 * time.Hour, client.HealthEjected},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := newFleet(t, &client.Balancer{FailureWindow: tt.window, MaxQueue: -1}, "a")
			for i := range client.DefaultMaxFailures {
				if i > 0 {
					time.Sleep(tt.pause)
				}
				f.set("a", well)
				f.expect("a")
				f.set("a", barred)
				f.fail(1)
			}
			f.health("a", tt.want)
		})
	}
}

// An ejection is twice as long as the last one, up to the longest; one success ends it. After a time without, it is short
// again.
func TestEjectionGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{
			MaxFailures: 1, EjectionTime: time.Second, MaxEjectionTime: 5 * time.Second, MaxQueue: -1,
		}, "a")
		ejected := func(want time.Duration) {
			t.Helper()
			if got := time.Until(f.state("a").EjectedUntil); got != want {
				t.Errorf("ejected for %v, want %v", got, want)
			}
			dialled := f.dialled("a")
			time.Sleep(want - 1)
			if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) || f.dialled("a") != dialled {
				t.Errorf("it is asked before the time is over: %v", err)
			}
			time.Sleep(time.Nanosecond)
		}
		f.set("a", barred)
		f.fail(1)
		for _, want := range []time.Duration{1, 2, 4, 5, 5} {
			ejected(want * time.Second)
			f.fail(1) // the trial
		}
		ejected(5 * time.Second)
		f.set("a", well)
		f.expect("aa")
		f.health("a", client.HealthUp)
		// It was not well for long.
		f.set("a", barred)
		f.fail(1)
		ejected(5 * time.Second)
		f.set("a", well)
		f.expect("a")
		time.Sleep(client.DefaultFailureWindow + 1)
		f.set("a", barred)
		f.fail(1)
		ejected(time.Second)
	})
}

// While an application is on trial, it gets one request at a time.
func TestTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1}, "a", "b")
		f.set("a", barred)
		f.expect("bbb")
		f.health("a", client.HealthEjected)
		time.Sleep(client.DefaultEjectionTime)
		gate := make(chan struct{})
		f.set("a", gated("a", gate))
		f.expect("b") // whose turn it is
		trial := f.background(t.Context(), get())
		synctest.Wait()
		f.health("a", client.HealthTrial)
		f.expect("bbbb")
		gate <- struct{}{}
		if got := <-trial; got.body != "a" || got.err != nil {
			t.Errorf("the trial: %v", got)
		}
		f.health("a", client.HealthUp)
		f.set("a", well)
		if got := f.answers(10, func(int) *client.Request { return get() }); got["a"] != 5 || got["b"] != 5 {
			t.Errorf("back in service: %v", got)
		}
	})
}

// A trial that its caller gives up shows nothing: the next request is the trial.
func TestTrialGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1, MaxQueue: -1}, "a")
		f.set("a", barred)
		f.fail(1)
		time.Sleep(client.DefaultEjectionTime)
		f.set("a", mute)
		ctx, cancel := context.WithCancel(t.Context())
		trial := f.background(ctx, get())
		synctest.Wait()
		f.fail(1)
		cancel()
		if got := <-trial; !errors.Is(got.err, context.Canceled) {
			t.Error(got.err)
		}
		f.health("a", client.HealthTrial)
		f.set("a", well)
		f.expect("a")
		f.health("a", client.HealthUp)
	})
}

// A request that was in flight before the ejection, and succeeds, ends it.
func TestLateSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1, MaxQueue: -1}, "a")
		gate := make(chan struct{})
		f.set("a", gated("a", gate))
		waits := f.background(t.Context(), get())
		synctest.Wait()
		f.set("a", dying)
		f.fail(1)
		f.health("a", client.HealthEjected)
		gate <- struct{}{}
		if got := <-waits; got.err != nil {
			t.Error(got.err)
		}
		f.health("a", client.HealthUp)
	})
}

// What is counted as what, whose fault it is, and whether another application is tried.
func TestCauses(t *testing.T) {
	tooLarge := func() *client.Request {
		return &client.Request{Params: append(get().Params, client.Pair{Name: "X", Value: strings.Repeat("x", 1<<16)})}
	}
	// What net/http's bodies say when the browser is gone.
	unreadable := func() *client.Request { return post(&brokenBody{err: io.ErrUnexpectedEOF}) }
	idle := func() *client.Request { return post(nil) }
	for _, tt := range []struct {
		name   string
		manner manner
		req    func() *client.Request
		count  func(client.FailureCounts) int64
		fault  bool // it counts for MaxFailures
		moves  bool // another one answers
	}{
		{"dial", barred, get, func(c client.FailureCounts) int64 { return c.Dial }, true, true},
		{"dial, POST", barred, idle, func(c client.FailureCounts) int64 { return c.Dial }, true, true},
		{"dial in vain", vanished, idle, func(c client.FailureCounts) int64 { return c.Dial }, true, true},
		{"lost", dying, get, func(c client.FailureCounts) int64 { return c.Lost }, true, true},
		{"lost, POST", dying, idle, func(c client.FailureCounts) int64 { return c.Lost }, true, false},
		{"overloaded", full, get, func(c client.FailureCounts) int64 { return c.Overloaded }, true, true},
		{"overloaded, POST", full, idle, func(c client.FailureCounts) int64 { return c.Overloaded }, true, true},
		{"protocol", babbling, get, func(c client.FailureCounts) int64 { return c.Protocol }, true, true},
		{"protocol, POST", babbling, idle, func(c client.FailureCounts) int64 { return c.Protocol }, true, false},
		{"timeout", mute, get, func(c client.FailureCounts) int64 { return c.Timeout }, true, true},
		{"timeout, POST", mute, idle, func(c client.FailureCounts) int64 { return c.Timeout }, true, false},
		{"cannot multiplex", solitary, get, func(c client.FailureCounts) int64 { return c.CannotMultiplex }, false, true},
		{"unknown role", foreign, get, func(c client.FailureCounts) int64 { return c.UnknownRole }, false, false},
		{"too large", well, tooLarge, func(c client.FailureCounts) int64 { return c.Other }, false, false},
		{"body", mute, unreadable, func(c client.FailureCounts) int64 { return c.Other }, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxFailures: 1, ResponseTimeout: 5 * time.Second}, "a", "b")
				f.set("a", tt.manner)
				got, err := f.ask(tt.req())
				if tt.moves != (got == "b" && err == nil) {
					t.Errorf("answer %q, %v", got, err)
				}
				want := client.HealthUp
				if tt.fault {
					want = client.HealthEjected
				}
				f.health("a", want)
				a := f.state("a")
				if tt.count(a.Failures) != 1 || a.Failures.Sum() != 1 || a.Requests != 1 || a.InFlight != 0 {
					t.Errorf("state %+v", a)
				}
				if moved := a.Retries == 1; moved != tt.moves || tt.fault == (a.LastError == "" || a.LastErrorTime.IsZero()) {
					t.Errorf("state %+v", a)
				}
			})
		})
	}
}

type brokenBody struct{ err error }

func (r *brokenBody) Read([]byte) (int, error) { return 0, r.err }

// A response that is cut off counts, but cannot be had elsewhere; one that its reader closes says nothing.
func TestCausesBehindTheFirstByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1}, "a", "b")
		f.set("a", cut)
		if got, err := f.ask(get()); got != "half" || err == nil {
			t.Errorf("answer %q, %v", got, err)
		}
		if a := f.state("a"); a.Failures.Lost != 1 || a.Health != client.HealthEjected {
			t.Errorf("state %+v", a)
		}
		f.set("b", half)
		hold(t, f.balancer, 1)[0].Close()
		if b := f.state("b"); b.Failures.Canceled != 1 || b.Health != client.HealthUp || b.InFlight != 0 {
			t.Errorf("state %+v", b)
		}
	})
}

// A check that finds an application ill often enough takes it out; often enough well, and it is back.
func TestCheckRiseAndFall(t *testing.T) {
	for _, tt := range []struct{ rise, fall, wantRise, wantFall int }{
		{0, 0, client.DefaultRise, client.DefaultFall}, {1, 1, 1, 1}, {3, 2, 3, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			ill := errors.New("ill")
			var verdict error
			judged, stop := make(chan struct{}), make(chan struct{})
			defer close(stop)
			f := newFleet(t, &client.Balancer{MaxQueue: -1, Check: &client.Check{
				Request: get, Rise: tt.rise, Fall: tt.fall,
				Judge: func(*client.Response) error {
					select {
					case judged <- struct{}{}:
					case <-stop:
					}
					return verdict
				},
			}}, "a")
			f.balancer.State() // starts
			check := func(n int, err error) {
				for range n {
					verdict = err
					<-judged
					synctest.Wait()
				}
			}
			check(2, nil)
			check(tt.wantFall-1, ill)
			f.health("a", client.HealthUp)
			check(1, nil) // in a row
			check(tt.wantFall-1, ill)
			f.health("a", client.HealthUp)
			check(1, ill)
			f.health("a", client.HealthDown)
			if _, err := f.ask(get()); !errors.Is(err, client.ErrUnavailable) {
				t.Error(err)
			}
			check(1, ill)
			check(tt.wantRise-1, nil)
			f.health("a", client.HealthDown)
			check(1, nil)
			f.health("a", client.HealthUp)
			f.expect("a")
			if a := f.state("a"); a.ChecksFailed == 0 || !strings.Contains(a.LastError, "ill") || a.Requests != 1 {
				t.Errorf("state %+v", a)
			}
		})
	}
}

// Checks come at once, and then at intervals that differ, by a tenth at most.
func TestCheckInterval(t *testing.T) {
	for _, interval := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var times []time.Time
			f := newFleet(t, &client.Balancer{Check: &client.Check{
				Request: get, Interval: interval,
				Judge: func(*client.Response) error { times = append(times, time.Now()); return nil },
			}}, "a")
			start := time.Now()
			f.balancer.State()
			mean := max(interval, client.DefaultCheckInterval)
			time.Sleep(100 * mean)
			f.balancer.Close()
			if !times[0].Equal(start) {
				t.Errorf("the first check came after %v", times[0].Sub(start))
			}
			pauses := make(map[time.Duration]bool)
			for i, at := range times[1:] {
				pause := at.Sub(times[i])
				pauses[pause] = true
				if pause < mean*9/10 || pause > mean*11/10 {
					t.Errorf("a check %v after the last", pause)
				}
			}
			if len(times) < 90 || len(pauses) < 50 {
				t.Errorf("%d checks with %d different pauses", len(times), len(pauses))
			}
		})
	}
}

// A check that gets no answer in time has found the application ill; so has one whose answer is bad.
func TestCheckFindsIll(t *testing.T) {
	say := func(text string, appStatus uint32) manner {
		return manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
			a.Say(r.Stdout(text), r.End(appStatus, complete))
		}}
	}
	const ok = "Content-Type: text/plain\r\n\r\nok"
	for _, tt := range []struct {
		name   string
		manner manner
		ill    bool
	}{
		{"well", say(ok, 0), false},
		{"not found", say("Status: 404 Not Found\r\n\r\n", 0), false},
		{"status 499", say("Status: 499\r\n\r\n", 0), false},
		{"status 500", say("Status: 500 Internal Server Error\r\n\r\n", 0), true},
		{"appStatus", say(ok, 1), true},
		{"no header", say("ok", 0), true},
		{"nothing", say("", 0), true},
		{"malformed", say("no header\r\n\r\n", 0), true},
		{"half", cut, true},
		{"full", full, true},
		{"mute", mute, true},
		{"in time", slowly(ok, client.DefaultCheckTimeout-1), false},
		{"late", slowly(ok, client.DefaultCheckTimeout+1), true},
		{"absent", absent, true},
		{"vanished", vanished, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFleet(t, &client.Balancer{MaxQueue: -1, Check: &client.Check{Request: get, Fall: 1}}, "a")
				f.set("a", tt.manner)
				f.balancer.State()
				time.Sleep(client.DefaultCheckTimeout)
				synctest.Wait()
				want := client.HealthUp
				if tt.ill {
					want = client.HealthDown
				}
				f.health("a", want)
			})
		})
	}
}

// slowly answers after a time.
func slowly(text string, d time.Duration) manner {
	return manner{answer: func(a *fakeapp.Conn, r *fakeapp.Request) {
		time.Sleep(d)
		a.Say(r.Answer(text))
	}}
}

// When an application is found ill, what it may have and has not answered goes elsewhere; what it must not be done
// twice stays.
func TestFoundIllMovesRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{Check: &client.Check{
			Request: get, Fall: 2, Judge: func(*client.Response) error { return nil },
		}}, "a", "b")
		f.set("a", mute)
		f.balancer.State()
		moves := f.background(t.Context(), get())
		synctest.Wait()
		f.expect("b")
		ctx, cancel := context.WithCancelCause(t.Context())
		stays := f.background(ctx, post(nil))
		start := time.Now()
		if got := <-moves; got.body != "b" || got.err != nil {
			t.Errorf("%v after %v", got, time.Since(start))
		}
		f.health("a", client.HealthDown)
		if a := f.state("a"); a.Failures.FoundIll != 1 || a.Retries != 1 || a.InFlight != 1 {
			t.Errorf("state %+v", a)
		}
		cancel(errWhy)
		if got := <-stays; !errors.Is(got.err, errWhy) {
			t.Error(got.err)
		}
	})
}

// State is what a status page or a tool would show.
func TestStateJSON(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{MaxFailures: 1, MaxInFlight: 7}, "a")
		f.set("a", barred)
		f.fail(1)
		text, err := json.Marshal(f.balancer.State().Applications[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			`"name":"a"`, `"address":"unix:/a"`, `"health":"ejected"`, `"ejected_until":"2000-01-01T00:00:00.25Z"`,
			`"drained":false`, `"weight":1`, `"in_flight":0`, `"max_in_flight":7`, `"requests":1`, `"completed":0`,
			`"failures":{"dial":1,`, `"retries":0`, `"last_error":"fastcgi: dial application: `,
			`"last_error_time":"2000-01-01T00:00:00Z"`,
		} {
			if !strings.Contains(string(text), want) {
				t.Errorf("no %s in %s", want, text)
			}
		}
	})
}
