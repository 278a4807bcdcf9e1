package client

import (
	"math"
	"strings"
	"time"
)

// A Policy says how a [Balancer] chooses among the applications that have room for a request.
type Policy string

// The policies. All of them heed weights and slow start.
const (
	// RoundRobin has applications take turns. It is the default.
	RoundRobin Policy = "round_robin"

	// LeastInFlight takes the application with the fewest requests in flight for its weight; those that are equal take
	// turns.
	LeastInFlight Policy = "least_in_flight"

	// ConsistentHash gives requests with the same Key to the same application, as long as there is room. When one of n
	// applications leaves, its keys go to all others, a share to each, and no other key moves; when one comes, it takes
	// about a share of 1/n. Several Balancers agree, if they call their applications the same. A request whose key is
	// empty goes where LeastInFlight would have it.
	ConsistentHash Policy = "consistent_hash"
)

func (p Policy) known() bool {
	return p == "" || p == RoundRobin || p == LeastInFlight || p == ConsistentHash
}

// KeyParam returns a Balancer's Key: the value of a parameter, such as REMOTE_ADDR.
func KeyParam(name string) func(*Request) string {
	return func(req *Request) string { return req.param(name) }
}

// KeyCookie returns a Balancer's Key: the value of a cookie, as it stands in HTTP_COOKIE.
func KeyCookie(name string) func(*Request) string {
	return func(req *Request) string {
		for cookie := range strings.SplitSeq(req.param("HTTP_COOKIE"), ";") {
			if key, value, ok := strings.Cut(strings.TrimSpace(cookie), "="); ok && key == name {
				return value
			}
		}
		return ""
	}
}

// param is the value of the first parameter of a name.
func (r *Request) param(name string) string {
	for _, p := range r.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// choose returns the application that is to have a call, or nil if none has room that it may go to. It needs mu, looks at
// each application twice at most, and allocates nothing.
func (b *Balancer) choose(c *call, now time.Time) *app {
	switch {
	case b.Policy == ConsistentHash && c.hasKey:
		return b.highest(c, now)
	case b.Policy == ConsistentHash, b.Policy == LeastInFlight:
		return b.takeTurns(c, now, b.leastLoad(c, now))
	}
	return b.takeTurns(c, now, math.Inf(1))
}

// slowStartFloor is the part of its share that an application begins with.
const slowStartFloor = 0.1

// weightNow is an application's weight as far as its slow start has come.
func (b *Balancer) weightNow(a *app, now time.Time) float64 {
	weight := float64(a.weight)
	if b.SlowStart <= 0 || a.since.IsZero() {
		return weight
	}
	part := float64(now.Sub(a.since)) / float64(b.SlowStart)
	return weight * min(1, max(slowStartFloor, part))
}

// load is what an application has in flight, for a weight.
func (a *app) load(weight float64) float64 { return float64(a.inFlight) / weight }

// leastLoad is the lowest load of those that may have the call.
func (b *Balancer) leastLoad(c *call, now time.Time) float64 {
	least := math.Inf(1)
	for _, a := range b.apps {
		if a.hasRoom(now) && !c.excludes(a) {
			least = min(least, a.load(b.weightNow(a, now)))
		}
	}
	return least
}

// takeTurns chooses among those with at most a load. It is the smooth weighted round robin of nginx: each is owed its
// weight in every turn, the one that is owed most has it, and pays what all were owed.
func (b *Balancer) takeTurns(c *call, now time.Time, most float64) *app {
	var chosen *app
	var total float64
	for _, a := range b.apps {
		if !a.hasRoom(now) || c.excludes(a) {
			continue
		}
		weight := b.weightNow(a, now)
		if a.load(weight) > most {
			continue
		}
		a.current += weight
		total += weight
		if chosen == nil || a.current > chosen.current {
			chosen = a
		}
	}
	if chosen != nil {
		chosen.current -= total
	}
	return chosen
}

// highest chooses by weighted rendezvous hashing: every application draws a number for the call's key, always the same
// one, and the highest wins. There is no ring to rebuild whenever a weight changes, as it does all the time in a slow
// start; a key whose application is full, fails or leaves has a second choice that differs from key to key; and as
// choosing looks at each application anyway, it costs nothing more.
func (b *Balancer) highest(c *call, now time.Time) *app {
	var chosen *app
	var best float64
	for _, a := range b.apps {
		if !a.hasRoom(now) || c.excludes(a) {
			continue
		}
		// Uniform in (0, 1), so that the share is in proportion to the weight.
		draw := (float64(mix(c.key^a.seed)>>11) + 0.5) / (1 << 53)
		if score := -b.weightNow(a, now) / math.Log(draw); chosen == nil || score > best {
			chosen, best = a, score
		}
	}
	return chosen
}

// hash is FNV-1a, finished with mix as its high bits hardly depend on the last bytes. It is the same in all processes.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}

// mix is the finalizer of SplitMix64: each bit of x changes about half of the result's.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
