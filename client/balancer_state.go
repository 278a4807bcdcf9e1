package client

import "time"

// A BalancerState is what a [Balancer] is about, at one moment.
type BalancerState struct {
	Applications []ApplicationState `json:"applications"`
	Queue        QueueState         `json:"queue"`
	Lookups      []LookupState      `json:"lookups,omitempty"`
}

// An ApplicationState is what a Balancer knows about an application. Totals count from when it was added: of all Requests,
// some are InFlight, some Completed, and the others counted in Failures.
type ApplicationState struct {
	Name         string    `json:"name"`
	Address      string    `json:"address"`
	Health       Health    `json:"health"`
	EjectedUntil time.Time `json:"ejected_until,omitzero"` // while Health is HealthEjected
	Drained      bool      `json:"drained"`                // by Drain; with nothing InFlight, all is done
	Removed      bool      `json:"removed"`                // listed until nothing is in flight there
	Weight       float64   `json:"weight"`                 // its share by now, slow start heeded
	InFlight     int       `json:"in_flight"`
	MaxInFlight  int       `json:"max_in_flight"` // 0: no limit

	Requests     int64         `json:"requests"`  // that were given to it
	Completed    int64         `json:"completed"` // responses that came to their end, with whatever appStatus
	Failures     FailureCounts `json:"failures"`
	Retries      int64         `json:"retries"` // of the failures, requests that were tried again
	ChecksFailed int64         `json:"checks_failed"`

	LastError     string    `json:"last_error,omitempty"` // of a request or a check, if it speaks against the application
	LastErrorTime time.Time `json:"last_error_time,omitzero"`
}

// FailureCounts are numbers of requests that have failed, by cause. The first five are an application's own fault, and
// what MaxFailures counts.
type FailureCounts struct {
	Dial       int64 `json:"dial"`       // no connection could be made
	Lost       int64 `json:"lost"`       // the connection ended before the response did
	Timeout    int64 `json:"timeout"`    // ResponseTimeout
	Overloaded int64 `json:"overloaded"` // refused with OVERLOADED
	Protocol   int64 `json:"protocol"`   // the application broke the protocol

	FoundIll        int64 `json:"found_ill"`        // given up as Check found the application ill
	CannotMultiplex int64 `json:"cannot_multiplex"` // refused with CANT_MPX_CONN
	UnknownRole     int64 `json:"unknown_role"`     // refused with UNKNOWN_ROLE
	Canceled        int64 `json:"canceled"`         // the caller ended the context or closed the response
	Other           int64 `json:"other"`            // a body that could not be read, a parameter that is too large
}

// A QueueState is about the requests that wait for an application. Totals count from the start.
type QueueState struct {
	Length   int   `json:"length"`
	Total    int64 `json:"total"`     // that have waited
	Refused  int64 `json:"refused"`   // that found MaxQueue waiting
	TimedOut int64 `json:"timed_out"` // that waited for QueueTimeout in vain
}

// A LookupState is about the host's name in an application's address.
type LookupState struct {
	Name  string    `json:"name"` // of the application
	Host  string    `json:"host"`
	Time  time.Time `json:"time,omitzero"`   // of the last lookup that succeeded
	Error string    `json:"error,omitempty"` // of the last lookup, if it failed
	Tried time.Time `json:"tried,omitzero"`  // when that was
}

// totals are what State tells of an application's past. They are guarded by Balancer.mu.
type totals struct {
	requests, completed, retries, checksFailed int64
	failures                                   FailureCounts
	lastErr                                    error
	lastErrTime                                time.Time
}

// note keeps the last error.
func (t *totals) note(err error, now time.Time) { t.lastErr, t.lastErrTime = err, now }

func (f *FailureCounts) count(why cause) { *f.of(why)++ }

func (f *FailureCounts) of(why cause) *int64 {
	switch why {
	case causeDial:
		return &f.Dial
	case causeLost:
		return &f.Lost
	case causeTimeout:
		return &f.Timeout
	case causeOverloaded:
		return &f.Overloaded
	case causeProtocol:
		return &f.Protocol
	case causeFoundIll:
		return &f.FoundIll
	case causeCannotMultiplex:
		return &f.CannotMultiplex
	case causeUnknownRole:
		return &f.UnknownRole
	case causeCanceled:
		return &f.Canceled
	}
	return &f.Other
}

// Sum is the number of all failures.
func (f FailureCounts) Sum() (n int64) {
	for why := causeDial; why <= causeOther; why++ {
		n += *f.of(why)
	}
	return n
}

// State tells how the applications are, in the order in which they were added; those that are removed come last.
func (b *Balancer) State() BalancerState {
	b.start() // whose error Do returns
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	s := BalancerState{Queue: b.waits, Applications: make([]ApplicationState, 0, len(b.apps)+len(b.retiring))}
	s.Queue.Length = b.queue.Len()
	for _, a := range b.apps {
		s.Applications = append(s.Applications, b.stateOf(a, now))
	}
	for _, a := range b.retiring {
		state := b.stateOf(a, now)
		state.Removed = true
		s.Applications = append(s.Applications, state)
	}
	for _, e := range b.entries {
		if e.host != nil {
			s.Lookups = append(s.Lookups, e.lookupState())
		}
	}
	return s
}

// stateOf needs mu.
func (b *Balancer) stateOf(a *app, now time.Time) ApplicationState {
	s := ApplicationState{
		Name: a.name, Address: a.addr, Health: a.health.now, Drained: a.drained, Weight: b.weightNow(a, now),
		InFlight: a.inFlight, MaxInFlight: a.limit,
		Requests: a.totals.requests, Completed: a.totals.completed, Failures: a.totals.failures,
		Retries: a.totals.retries, ChecksFailed: a.totals.checksFailed,
		LastErrorTime: a.totals.lastErrTime,
	}
	if a.health.now == HealthEjected {
		s.EjectedUntil = a.health.until
	}
	if a.totals.lastErr != nil {
		s.LastError = a.totals.lastErr.Error()
	}
	return s
}
