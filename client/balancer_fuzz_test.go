package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// FuzzBalancer has applications come, go and misbehave under load, in ways that depend on the input. Whatever happens, at
// every moment the numbers add up and no limit is passed, and in the end every request has an answer or an error, and
// nothing is in flight.
func FuzzBalancer(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, uint8(seed), uint8(seed*3))
	}
	f.Fuzz(func(t *testing.T, seed uint64, policy, limit uint8) {
		synctest.Test(t, func(t *testing.T) { storm(t, rand.New(rand.NewPCG(seed, 1)), policy, int(limit%4)) })
	})
}

// manners are all ways to behave that a storm brings about.
var manners = []manner{
	well, well, well, absent, barred, vanished, full, solitary, foreign, mute, dying, babbling, cut, half,
	slow(10 * time.Millisecond), slow(3 * time.Second), inTwo("half"),
}

func storm(t *testing.T, r *rand.Rand, policy uint8, limit int) {
	b := &client.Balancer{
		Policy:          []client.Policy{client.RoundRobin, client.LeastInFlight, client.ConsistentHash}[policy%3],
		Key:             client.KeyParam("REMOTE_ADDR"),
		MaxInFlight:     limit,
		MaxQueue:        5,
		ResponseTimeout: time.Second,
		SlowStart:       10 * time.Second,
		Check:           &client.Check{Request: get, Judge: func(*client.Response) error { return nil }},
	}
	if policy%2 == 1 {
		b.NewClient = func(string) *client.Client {
			return &client.Client{KeepConn: true, DialTimeout: time.Second, MaxConns: int(policy % 8)}
		}
	}
	names := strings.Split("abcd", "")
	f := newFleet(t, b, names...)
	var load sync.WaitGroup
	var asked, ended atomic.Int64
	for i := range 12 {
		r := rand.New(rand.NewPCG(r.Uint64(), uint64(i)))
		load.Go(func() {
			for range 40 {
				asked.Add(1)
				f.stormRequest(r)
				ended.Add(1)
				time.Sleep(time.Duration(r.IntN(100)) * time.Millisecond)
			}
		})
	}
	weather := make(chan struct{})
	go func() {
		defer close(weather)
		for range 100 {
			f.change(r, names[r.IntN(len(names))])
			f.checkNumbers()
			time.Sleep(time.Duration(r.IntN(200)) * time.Millisecond)
		}
	}()
	load.Wait()
	<-weather
	synctest.Wait()
	f.checkNumbers()
	if asked.Load() != ended.Load() {
		t.Errorf("%d requests, %d came to an end", asked.Load(), ended.Load())
	}
	s := b.State()
	if s.Queue.Length != 0 {
		t.Errorf("%d requests wait, and nobody knows of them", s.Queue.Length)
	}
	for _, a := range s.Applications {
		if a.InFlight != 0 {
			t.Errorf("%d requests are in flight, and nobody knows of them: %+v", a.InFlight, a)
		}
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}

// stormRequest does a request of some kind, and is sometimes in a hurry.
func (f *fleet) stormRequest(r *rand.Rand) {
	ctx, cancel := context.WithCancel(f.t.Context())
	defer cancel()
	if r.IntN(4) == 0 {
		defer time.AfterFunc(time.Duration(r.IntN(2000))*time.Millisecond, cancel).Stop()
	}
	req := keyed(r.IntN(100))
	if r.IntN(3) == 0 {
		req = post(strings.NewReader("body"))
	}
	resp, err := f.balancer.Do(ctx, req)
	if (resp == nil) == (err == nil) {
		f.t.Errorf("a response %v along with the error %v", resp, err)
	}
	if errors.Is(err, client.ErrClosed) {
		f.t.Errorf("an application was removed under a request: %v", err)
	}
	if err != nil {
		return
	}
	defer resp.Close()
	if r.IntN(4) > 0 {
		// Some applications have no end.
		defer time.AfterFunc(5*time.Second, cancel).Stop()
		io.Copy(io.Discard, resp)
	}
}

// change has something happen to an application.
func (f *fleet) change(r *rand.Rand, name string) {
	now, cancel := context.WithCancel(f.t.Context())
	cancel()
	switch r.IntN(8) {
	case 0:
		f.balancer.Drain(now, name)
	case 1, 2:
		f.balancer.Resume(name)
	case 3:
		if f.balancer.Remove(now, name) == nil || r.IntN(2) == 0 {
			f.balancer.Add(client.Application{Name: name, Addr: "unix:/" + name, Weight: 1 + r.IntN(3)})
		}
	case 4:
		f.balancer.Add(client.Application{Name: name, Addr: "unix:/" + name})
	default:
		f.set(name, manners[r.IntN(len(manners))])
	}
}

// checkNumbers fails the test unless the Balancer's numbers can be true.
func (f *fleet) checkNumbers() {
	f.t.Helper()
	s := f.balancer.State()
	if s.Queue.Length < 0 || s.Queue.Length > 5 {
		f.t.Errorf("%d requests wait, 5 may", s.Queue.Length)
	}
	seen := make(map[string]bool)
	for _, a := range s.Applications {
		if a.InFlight < 0 || a.MaxInFlight > 0 && a.InFlight > a.MaxInFlight {
			f.t.Errorf("%d requests in flight, %d may be: %+v", a.InFlight, a.MaxInFlight, a)
		}
		if a.Requests != a.Completed+a.Failures.Sum()+int64(a.InFlight) {
			f.t.Errorf("the sum is wrong: %+v", a)
		}
		if a.Retries > a.Failures.Sum() || a.Weight <= 0 {
			f.t.Errorf("this cannot be: %+v", a)
		}
		if seen[a.Name] && !a.Removed {
			f.t.Errorf("%s is there twice: %s", a.Name, fmt.Sprint(s.Applications))
		}
		seen[a.Name] = true
	}
}
