package client_test

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/client"
)

// Round robin is exact: whatever the weights, each run of as many requests as all weights has each application's.
func TestRoundRobin(t *testing.T) {
	for _, tt := range []struct {
		weights string // of a, b, c
		want    string
	}{
		{"1", "aaa"},
		{"11", "abab"},
		{"111", "abcabc"},
		{"21", "abaaba"},
		{"31", "aabaaaba"},
		{"511", "aabacaaaabacaa"},
		{"123", "cbacbccbacbc"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := &client.Balancer{}
			for i, w := range tt.weights {
				name := string(rune('a' + i))
				b.Applications = append(b.Applications, client.Application{Name: name, Addr: "unix:/" + name, Weight: int(w - '0')})
			}
			newFleet(t, b).expect(tt.want)
		})
	}
}

// It is as exact when many ask at once.
func TestRoundRobinOfMany(t *testing.T) {
	b := &client.Balancer{}
	for i, name := range []string{"a", "b", "c"} {
		b.Applications = append(b.Applications, client.Application{Name: name, Addr: "unix:/" + name, Weight: i + 1})
	}
	defer b.Close()
	var mu sync.Mutex
	counts := make(map[string]int)
	var all sync.WaitGroup
	for range 16 {
		choose := b.Chooser(t, get())
		all.Go(func() {
			for range 600 {
				name := choose()
				mu.Lock()
				counts[name]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if counts["a"] != 1600 || counts["b"] != 3200 || counts["c"] != 4800 {
		t.Errorf("%v", counts)
	}
}

// hold asks n times and holds the responses open.
func hold(t *testing.T, b *client.Balancer, n int) (held []*client.Response) {
	t.Helper()
	for range n {
		resp, err := b.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, resp)
	}
	return held
}

// Least in flight: no application ever has two requests more than another, for its weight; among equals it is as exact
// as round robin.
func TestLeastInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{Policy: client.LeastInFlight}, "a", "b", "c")
		for _, name := range []string{"a", "b", "c"} {
			f.set(name, half)
		}
		var held []*client.Response
		for n := range 30 {
			held = append(held, hold(t, f.balancer, 1)...)
			if n%4 == 3 { // out of order
				held[0].Close()
				held = held[1:]
			}
			least, most := math.MaxInt, 0
			for _, a := range f.balancer.State().Applications {
				least, most = min(least, a.InFlight), max(most, a.InFlight)
			}
			if most-least > 2 {
				t.Fatalf("after %d requests: between %d and %d in flight", n+1, least, most)
			}
		}
		for _, r := range held {
			r.Close()
		}
		for _, name := range []string{"a", "b", "c"} {
			f.set(name, well)
		}
		if got := f.answers(30, func(int) *client.Request { return get() }); got["a"] != 10 || got["b"] != 10 || got["c"] != 10 {
			t.Errorf("one after the other, %v", got)
		}
	})
}

// One that is slower has as many in flight as others, and so fewer requests.
func TestLeastInFlightHeedsWeights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &client.Balancer{Policy: client.LeastInFlight, Applications: []client.Application{
			{Name: "a", Addr: "unix:/a", Weight: 3}, {Name: "b", Addr: "unix:/b"},
		}}
		f := newFleet(t, b)
		f.set("a", half)
		f.set("b", half)
		for _, r := range hold(t, b, 40) {
			defer r.Close()
		}
		if a, b := f.state("a").InFlight, f.state("b").InFlight; a != 30 || b != 10 {
			t.Errorf("%d and %d in flight, want 30 and 10", a, b)
		}
	})
}

// keyed is a request with a key.
func keyed(i int) *client.Request {
	req := get()
	req.Params = append(req.Params, client.Pair{Name: "REMOTE_ADDR", Value: "192.0.2." + strconv.Itoa(i)})
	return req
}

// whose says who would answer each of n keys.
func (f *fleet) whose(n int) []string {
	f.t.Helper()
	owners := make([]string, n)
	for i := range n {
		owners[i] = f.balancer.Chooser(f.t, keyed(i))()
	}
	return owners
}

// shares counts owners.
func shares(owners []string) map[string]int {
	counts := make(map[string]int)
	for _, o := range owners {
		counts[o]++
	}
	return counts
}

// Consistent hash: when one goes, its keys move and no other; when one comes, it takes its share and no other key moves.
func TestConsistentHash(t *testing.T) {
	const keys = 1000
	for n := 2; n <= 6; n++ {
		synctest.Test(t, func(t *testing.T) {
			names := strings.Split("abcdef"[:n], "")
			f := newFleet(t, &client.Balancer{Policy: client.ConsistentHash, Key: client.KeyParam("REMOTE_ADDR")}, names...)
			before := f.whose(keys)
			for name, share := range shares(before) {
				if share < keys/n*8/10 || share > keys/n*12/10 {
					t.Errorf("%d applications: %s has %d of %d keys", n, name, share, keys)
				}
			}
			if err := f.balancer.Drain(t.Context(), "b"); err != nil {
				t.Fatal(err)
			}
			moved := make(map[string]int)
			for i, after := range f.whose(keys) {
				if after != before[i] {
					moved[after]++
					if before[i] != "b" {
						t.Errorf("key %d moved from %s, which is there, to %s", i, before[i], after)
					}
				}
			}
			if n > 2 && len(moved) != n-1 {
				t.Errorf("the keys of b moved to %v, want a share to each", moved)
			}
			if err := f.balancer.Resume("b"); err != nil {
				t.Fatal(err)
			}
			if err := f.balancer.Add(client.Application{Name: "z", Addr: "unix:/z"}); err != nil {
				t.Fatal(err)
			}
			taken := 0
			for i, after := range f.whose(keys) {
				switch {
				case after == "z":
					taken++
				case after != before[i]:
					t.Errorf("key %d moved from %s to %s as z came", i, before[i], after)
				}
			}
			if taken > keys/(n+1)*12/10 {
				t.Errorf("the new one of %d took %d of %d keys", n+1, taken, keys)
			}
		})
	}
}

// Weights count, and another Balancer with the same names, in whatever order, agrees.
func TestConsistentHashHeedsWeights(t *testing.T) {
	const keys = 1000
	synctest.Test(t, func(t *testing.T) {
		apps := []client.Application{{Name: "a", Addr: "unix:/a", Weight: 3}, {Name: "b", Addr: "unix:/b"}}
		one := newFleet(t, &client.Balancer{Policy: client.ConsistentHash, Key: client.KeyParam("REMOTE_ADDR"), Applications: apps})
		owners := one.whose(keys)
		if a := shares(owners)["a"]; a < 700 || a > 800 {
			t.Errorf("a has %d of %d keys, want about 750", a, keys)
		}
		apps = []client.Application{apps[1], apps[0]}
		other := newFleet(t, &client.Balancer{Policy: client.ConsistentHash, Key: client.KeyParam("REMOTE_ADDR"), Applications: apps})
		if got := other.whose(keys); fmt.Sprint(got) != fmt.Sprint(owners) {
			t.Error("two Balancers disagree")
		}
	})
}

// At its limit, a key goes to its second choice; without a key, to the one with the fewest in flight.
func TestConsistentHashSecondChoice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t, &client.Balancer{
			Policy: client.ConsistentHash, Key: client.KeyParam("REMOTE_ADDR"), MaxInFlight: 1,
		}, "a", "b", "c")
		first, err := f.ask(keyed(1))
		if err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		f.set(first, gated(first, gate))
		waits := f.background(t.Context(), keyed(1))
		synctest.Wait()
		second, err := f.ask(keyed(1))
		if err != nil || second == first {
			t.Errorf("the second choice beside %s is %s, %v", first, second, err)
		}
		close(gate)
		if got := <-waits; got.err != nil || got.body != first {
			t.Errorf("%v, want %s", got, first)
		}
		f.set(first, well)
		if got := f.answers(9, func(int) *client.Request { return get() }); len(got) != 3 {
			t.Errorf("without a key: %v", got)
		}
	})
}

func TestKeys(t *testing.T) {
	req := &client.Request{Params: []client.Pair{
		{Name: "HTTP_COOKIE", Value: "other=1; session=abc=d ; session=second;bare"},
		{Name: "REMOTE_ADDR", Value: "192.0.2.7"},
		{Name: "REMOTE_ADDR", Value: "spoofed"},
	}}
	for _, tt := range []struct {
		name string
		key  func(*client.Request) string
		want string
	}{
		{"param", client.KeyParam("REMOTE_ADDR"), "192.0.2.7"},
		{"no param", client.KeyParam("REMOTE_USER"), ""},
		{"cookie", client.KeyCookie("session"), "abc=d"},
		{"first cookie", client.KeyCookie("other"), "1"},
		{"no cookie", client.KeyCookie("sess"), ""},
		{"no value", client.KeyCookie("bare"), ""},
	} {
		if got := tt.key(req); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// Choosing allocates nothing, whatever the policy.
func TestChoosingAllocatesNothing(t *testing.T) {
	for _, policy := range []client.Policy{client.RoundRobin, client.LeastInFlight, client.ConsistentHash} {
		b := &client.Balancer{Policy: policy, Key: client.KeyParam("REMOTE_ADDR")}
		for i := range 100 {
			b.Applications = append(b.Applications, client.Application{Addr: "unix:/" + strconv.Itoa(i)})
		}
		choose := b.Chooser(t, keyed(1))
		if n := testing.AllocsPerRun(100, func() { choose() }); n != 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
		b.Close()
	}
}

func BenchmarkChoose(b *testing.B) {
	for _, policy := range []client.Policy{client.RoundRobin, client.LeastInFlight, client.ConsistentHash} {
		for _, n := range []int{3, 30, 300} {
			b.Run(fmt.Sprintf("%s/%d", policy, n), func(b *testing.B) {
				bal := &client.Balancer{Policy: policy, Key: client.KeyParam("REMOTE_ADDR")}
				for i := range n {
					bal.Applications = append(bal.Applications, client.Application{Addr: "unix:/" + strconv.Itoa(i)})
				}
				defer bal.Close()
				choose := bal.Chooser(b, keyed(1))
				b.ReportAllocs()
				for b.Loop() {
					if choose() == "" {
						b.Fatal("none")
					}
				}
			})
		}
	}
}
