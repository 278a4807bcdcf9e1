package client

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// An Application is one of those that a [Balancer] sends requests to.
type Application struct {
	// Name is what Drain, Resume, Remove and State call it. The default is Addr. No two may have the same.
	Name string

	// Addr is where it listens, as in Client.Addr.
	//
	// A host's name stands for as many applications as it has IP addresses: IPv4 ones, or if there are none, IPv6.
	// They are named Name/address, as in "app/192.0.2.1:9000"; Name means all of them. When addresses change, what is
	// gone gets no new requests, and what is new has its SlowStart. A lookup that fails changes nothing. With tls:,
	// their certificates have to be for the name, unless NewClient says for which.
	Addr string

	// Weight is its share of the requests, beside those of others. The default is 1.
	Weight int

	// MaxInFlight is how many requests it has in flight. The default is that of the Balancer; below zero is no limit.
	MaxInFlight int
}

// An entry is an Application of the Balancer with what it stands for: itself, or one for each address of its name.
type entry struct {
	Application
	host   *hostname       // nil unless Addr has a name to look up
	first  bool            // it was there from the beginning
	ctx    context.Context // ends when it is removed
	cancel context.CancelFunc

	// Guarded by Balancer.mu.
	apps    []*app
	drained bool
	lookups lookups
}

// An app is one application to choose.
type app struct {
	// Immutable.
	name   string
	addr   string
	ip     netip.Addr // where Addr has a name
	weight int
	limit  int    // of requests in flight; 0: none
	seed   uint64 // what ConsistentHash knows it by
	client *Client
	prober *Client         // of Check; nil without one
	ctx    context.Context // ends when it is removed
	cancel context.CancelFunc
	over   chan struct{} // closed when it was removed and nothing is in flight any more

	// Guarded by Balancer.mu.
	drained  bool
	inFlight int
	quiet    chan struct{} // closed when inFlight is 0 or it is no longer drained; nil while nobody waits
	current  float64       // what it is owed, of takeTurns
	since    time.Time     // when its slow start began; zero if it had none
	health   healthState
	totals   totals
}

// add makes an application part of the choice. Those that are there from the first have no slow start.
func (b *Balancer) add(a Application, first bool) error {
	if a.Name == "" {
		a.Name = a.Addr
	}
	if a.Weight < 0 {
		return fmt.Errorf("fastcgi: application %q has the weight %d: write 1 or more, or Drain it", a.Name, a.Weight)
	}
	host, err := parseHostname(a.Addr)
	if err != nil {
		return err
	}
	e := &entry{Application: a, host: host, first: first}
	e.ctx, e.cancel = context.WithCancel(b.ctx)
	var made []*app
	if host == nil {
		made = append(made, b.newApp(e, a.Name, a.Addr))
	}
	if err := b.enter(e, made); err != nil {
		e.cancel() // that is all: nothing has a connection yet
		return err
	}
	return nil
}

// enter puts a new entry and its applications into the choice, and starts what looks after them.
func (b *Balancer) enter(e *entry, made []*app) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return ErrClosed
	}
	if slices.ContainsFunc(b.entries, func(other *entry) bool { return other.Name == e.Name }) {
		return fmt.Errorf("fastcgi: a Balancer cannot have two applications %q", e.Name)
	}
	b.entries = append(b.entries, e)
	b.install(e, made, e.first, time.Now())
	if e.host != nil {
		b.running.Go(func() { b.resolve(e) })
	}
	return nil
}

// newApp makes what an entry has at one address.
func (b *Balancer) newApp(e *entry, name, addr string) *app {
	a := &app{
		name:   name,
		addr:   addr,
		weight: limit.Of(e.Weight, 1, 1),
		limit:  limit.Of(e.MaxInFlight, limit.Of(b.MaxInFlight, 0, 0), 0),
		seed:   hash(name),
		client: b.newClient(e, addr),
		over:   make(chan struct{}),
	}
	a.ctx, a.cancel = context.WithCancel(e.ctx)
	a.health.init(b.maxFailures())
	if b.Check != nil {
		a.prober = b.newClient(e, addr)
		a.health.watch()
	}
	return a
}

func (b *Balancer) newClient(e *entry, addr string) *Client {
	c := &Client{Addr: addr, DialTimeout: balancedDialTimeout}
	if b.NewClient != nil {
		c = b.NewClient(addr)
	}
	if e.host != nil {
		e.host.identify(c)
	}
	return c
}

// install puts applications into the choice. It needs mu.
func (b *Balancer) install(e *entry, made []*app, first bool, now time.Time) {
	for _, a := range made {
		a.drained = e.drained
		if !first {
			a.since = now
		}
		if b.Check != nil {
			b.running.Go(func() { b.check(a) })
		}
	}
	e.apps = append(e.apps, made...)
	b.apps = append(b.apps, made...)
	b.dispatch(now)
}

// uninstall takes applications out of the choice, each until its requests are over. It needs mu.
func (b *Balancer) uninstall(e *entry, gone []*app) {
	isGone := func(a *app) bool { return slices.Contains(gone, a) }
	e.apps = slices.DeleteFunc(e.apps, isGone)
	b.apps = slices.DeleteFunc(b.apps, isGone)
	for _, a := range gone {
		a.drained = true
		b.retiring = append(b.retiring, a)
		b.running.Go(func() { b.retire(a) })
	}
}

// retire closes an application's connections once its requests are over.
func (b *Balancer) retire(a *app) {
	defer close(a.over)
	a.cancel()
	for {
		b.mu.Lock()
		quiet := a.awaitQuiet()
		b.mu.Unlock()
		if quiet == nil {
			break
		}
		select {
		case <-quiet:
			continue
		case <-b.ctx.Done():
		}
		break
	}
	a.close()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.retiring = slices.DeleteFunc(b.retiring, func(other *app) bool { return other == a })
}

// close ends all that an application has to do with.
func (a *app) close() {
	a.cancel()
	a.client.Close()
	if a.prober != nil {
		a.prober.Close()
	}
}

// awaitQuiet returns a channel that is closed when nothing is in flight, or nil if that is so already. It needs mu.
func (a *app) awaitQuiet() <-chan struct{} {
	if a.inFlight == 0 {
		return nil
	}
	if a.quiet == nil {
		a.quiet = make(chan struct{})
	}
	return a.quiet
}

// tellQuiet wakes those who wait for awaitQuiet. It needs mu.
func (a *app) tellQuiet() {
	if a.quiet != nil {
		close(a.quiet)
		a.quiet = nil
	}
}

// Add adds an application while the Balancer works. It has its SlowStart.
func (b *Balancer) Add(a Application) error {
	if err := b.start(); err != nil {
		return err
	}
	return b.add(a, false)
}

// Remove removes an application. It gets nothing new, and what is in flight there ends by itself, after which its
// connections are closed. Remove waits for that until the context ends, and returns its cause then; the application is
// gone in any case.
func (b *Balancer) Remove(ctx context.Context, name string) error {
	if err := b.start(); err != nil {
		return err
	}
	b.mu.Lock()
	i := slices.IndexFunc(b.entries, func(e *entry) bool { return e.Name == name })
	if i < 0 || b.closed {
		defer b.mu.Unlock()
		return b.unknown(name)
	}
	e := b.entries[i]
	b.entries = slices.Delete(b.entries, i, i+1)
	e.cancel()
	gone := slices.Clone(e.apps)
	b.uninstall(e, gone)
	b.mu.Unlock()
	for _, a := range gone {
		select {
		case <-a.over:
		case <-ctx.Done():
			return fmt.Errorf("fastcgi: removing %q: %w", name, context.Cause(ctx))
		}
	}
	return nil
}

// unknown says that there is no application of a name. It needs mu.
func (b *Balancer) unknown(name string) error {
	if b.closed {
		return ErrClosed
	}
	return fmt.Errorf("fastcgi: the Balancer has no application %q", name)
}

// errResumed is why a Drain ends without an end of what was in flight.
var errResumed = errors.New("fastcgi: the application takes requests again")

// Drain has an application get no new requests, until Resume. It waits until none is in flight there or the context
// ends, whose cause it returns then; the application stays drained in any case.
func (b *Balancer) Drain(ctx context.Context, name string) error {
	apps, err := b.setDrained(name, true)
	if err != nil {
		return err
	}
	for _, a := range apps {
		if err := b.awaitDrained(ctx, a); err != nil {
			return fmt.Errorf("fastcgi: draining %q: %w", name, err)
		}
	}
	return nil
}

func (b *Balancer) awaitDrained(ctx context.Context, a *app) error {
	for {
		b.mu.Lock()
		quiet, drained, closed := a.awaitQuiet(), a.drained, b.closed
		b.mu.Unlock()
		switch {
		case closed:
			return ErrClosed
		case !drained:
			return errResumed
		case quiet == nil:
			return nil
		}
		select {
		case <-quiet:
		case <-b.ctx.Done():
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Resume has an application get requests again after Drain. It has its SlowStart.
func (b *Balancer) Resume(name string) error {
	_, err := b.setDrained(name, false)
	return err
}

// setDrained drains or resumes the applications that a name means, and returns them.
func (b *Balancer) setDrained(name string, drained bool) ([]*app, error) {
	if err := b.start(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	apps := b.named(name, drained)
	if apps == nil {
		return nil, b.unknown(name)
	}
	now := time.Now()
	for _, a := range apps {
		if a.drained && !drained {
			a.since, a.current = now, 0
			a.tellQuiet()
		}
		a.drained = drained
	}
	b.dispatch(now)
	return apps, nil
}

// named returns the applications that a name means: those of an entry, which is then drained or not as a whole, or one
// of an entry's addresses. It needs mu.
func (b *Balancer) named(name string, drained bool) []*app {
	for _, e := range b.entries {
		if e.Name == name {
			e.drained = drained
			return append([]*app{}, e.apps...)
		}
		for _, a := range e.apps {
			if a.name == name {
				return []*app{a}
			}
		}
	}
	return nil
}
