package client

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// Health is what a [Balancer] takes an application for. Whether it is drained is another matter.
type Health int

// The states of health. See [Balancer.MaxFailures] and [Check] for what leads to each.
const (
	HealthUp      Health = iota // it gets requests
	HealthEjected               // it failed, and is left alone for a time
	HealthTrial                 // that time is over: one request at a time shows whether it is well
	HealthDown                  // Check found it ill, and has not found it well since
)

var healthNames = [...]string{"up", "ejected", "trial", "down"}

// String is "up", "ejected", "trial" or "down".
func (h Health) String() string {
	if h < 0 || int(h) >= len(healthNames) {
		return fmt.Sprintf("Health(%d)", int(h))
	}
	return healthNames[h]
}

// MarshalText is String, for JSON.
func (h Health) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// A healthEvent is what moves an application from one state of health to another.
type healthEvent int

const (
	succeeded   healthEvent = iota // it has answered a request
	failed                         // it failed one, and not yet too many
	failedOften                    // it failed MaxFailures within FailureWindow
	rested                         // the time of its ejection is over, and there is a request for it
	checksFell                     // Fall checks in a row found it ill
	checksRose                     // Rise checks in a row found it well
)

// healthTable holds every transition. A request that was in flight before an ejection may still succeed, and ends it. What
// checks have found, only checks undo; what requests have found, a check does not.
var healthTable = [...][6]Health{
	//             succeeded   failed         failedOften    rested         checksFell  checksRose
	HealthUp:      {HealthUp, HealthUp, HealthEjected, HealthUp, HealthDown, HealthUp},
	HealthEjected: {HealthUp, HealthEjected, HealthEjected, HealthTrial, HealthDown, HealthEjected},
	HealthTrial:   {HealthUp, HealthEjected, HealthEjected, HealthTrial, HealthDown, HealthTrial},
	HealthDown:    {HealthDown, HealthDown, HealthDown, HealthDown, HealthDown, HealthUp},
}

// A healthState is an application's health with what leads to the next state. It is guarded by Balancer.mu.
type healthState struct {
	now       Health
	upSince   time.Time
	until     time.Time // the end of the ejection
	ejections int       // in a row, and so how long the next one is
	trying    bool      // the request of HealthTrial is in flight
	suspect   bool      // kept connections may lead nowhere

	failures []time.Time // the last MaxFailures of them, in a ring; nil where they do not count
	next     int         // the place of the next one, and of the oldest

	passed, missed int // checks in a row

	down     context.Context // ends when checks find the application ill; nil without checks
	markDown context.CancelCauseFunc
}

func (h *healthState) init(maxFailures int) {
	if maxFailures > 0 {
		h.failures = make([]time.Time, maxFailures)
	}
}

// watch begins a new time in which checks may find the application ill.
func (h *healthState) watch() { h.down, h.markDown = context.WithCancelCause(context.Background()) }

// admits reports whether a request may go to the application, apart from its limit.
func (h *healthState) admits(now time.Time) bool {
	switch h.now {
	case HealthUp:
		return true
	case HealthEjected:
		return !now.Before(h.until)
	case HealthTrial:
		return !h.trying
	}
	return false
}

// hasRoom reports whether an application may get a request. It needs mu.
func (a *app) hasRoom(now time.Time) bool {
	return !a.drained && (a.limit == 0 || a.inFlight < a.limit) && a.health.admits(now)
}

// noteFailure counts a failure and says which event it is.
func (h *healthState) noteFailure(now time.Time, window time.Duration) healthEvent {
	if len(h.failures) == 0 {
		return failed
	}
	h.failures[h.next] = now
	h.next = (h.next + 1) % len(h.failures)
	oldest := h.failures[h.next]
	if oldest.IsZero() || now.Sub(oldest) > window {
		return failed
	}
	return failedOften
}

// sicken takes note of a failure. It needs mu, as setHealth does.
func (b *Balancer) sicken(a *app, now time.Time) {
	window := limit.Of(b.FailureWindow, DefaultFailureWindow, math.MaxInt64)
	b.setHealth(a, a.health.noteFailure(now, window), now)
}

// setHealth has an event change an application's health. It needs mu; the caller then calls dispatch.
func (b *Balancer) setHealth(a *app, event healthEvent, now time.Time) {
	h := &a.health
	before := h.now
	h.now = healthTable[before][event]
	if h.now == before {
		return
	}
	if before == HealthDown {
		h.watch()
	}
	switch h.now {
	case HealthUp:
		h.upSince = now
		h.trying = false
		clear(h.failures)
		a.since, a.current = now, 0
	case HealthEjected:
		b.eject(a, before, now)
	case HealthDown:
		h.suspect = true
		h.markDown(&elsewhereError{fmt.Errorf("fastcgi: application %s was found ill while it had the request", a.name)})
	}
}

// eject begins an ejection, which is twice as long as the last one unless the application has been well since. It needs
// mu.
func (b *Balancer) eject(a *app, before Health, now time.Time) {
	h := &a.health
	window := limit.Of(b.FailureWindow, DefaultFailureWindow, math.MaxInt64)
	if before == HealthUp && now.Sub(h.upSince) > window {
		h.ejections = 0
	}
	first := limit.Of(b.EjectionTime, DefaultEjectionTime, math.MaxInt64)
	longest := limit.Of(b.MaxEjectionTime, DefaultMaxEjectionTime, math.MaxInt64)
	h.until = now.Add(doubled(first, h.ejections, longest))
	h.ejections++
	h.suspect = true
}

// doubled returns d after n doublings, at most longest.
func doubled(d time.Duration, n int, longest time.Duration) time.Duration {
	for range n {
		if d > longest/2 {
			return longest
		}
		d *= 2
	}
	return min(d, longest)
}
