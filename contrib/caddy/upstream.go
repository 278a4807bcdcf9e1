package caddyfcgi

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// A target is where an upstream listens, as package net has it.
type target struct{ network, address string }

// upstreams are the applications that a Transport asks, each with its connections.
type upstreams struct {
	// Immutable.
	make   func(target) *upstream
	forget time.Duration // how long one is kept that nobody asks; below zero: for ever

	mu     sync.Mutex
	known  map[target]*upstream
	closed bool // none is kept any more
}

// An upstream is an application, at one address.
type upstream struct {
	target    target
	owner     *upstreams
	client    *client.Client
	transport *client.Transport

	// Guarded by owner.mu.
	users int
	used  time.Time // last
}

// acquire returns the upstream at an address. It stays open until release.
func (us *upstreams) acquire(to target) *upstream {
	us.mu.Lock()
	u := us.known[to]
	var old []*upstream
	if u == nil {
		// Addresses may come from requests, through placeholders: those that are
		// not asked any more must not add up.
		old = us.removeUnused(us.forget)
		u = us.make(to)
		if us.known == nil {
			us.known = make(map[target]*upstream)
		}
		us.known[to] = u
	}
	u.users++
	us.mu.Unlock()
	closeAll(old)
	return u
}

// release ends what acquire and hold begin.
func (us *upstreams) release(u *upstream) {
	us.mu.Lock()
	u.users--
	u.used = time.Now()
	var old []*upstream
	if us.closed {
		old = us.removeUnused(0)
	}
	us.mu.Unlock()
	closeAll(old)
}

// hold keeps an upstream open for one more user.
func (us *upstreams) hold(u *upstream) {
	us.mu.Lock()
	u.users++
	us.mu.Unlock()
}

// close closes each upstream once it has no more users.
func (us *upstreams) close() {
	us.mu.Lock()
	us.closed = true
	old := us.removeUnused(0)
	var busy []*upstream
	for _, u := range us.known {
		busy = append(busy, u)
	}
	us.mu.Unlock()
	closeAll(old)
	for _, u := range busy {
		u.client.CloseIdle()
	}
}

// removeUnused removes what has had no users for some time, and returns it, to be
// closed without the lock. It needs mu.
func (us *upstreams) removeUnused(since time.Duration) []*upstream {
	if since < 0 {
		return nil
	}
	var old []*upstream
	for to, u := range us.known {
		if u.users == 0 && time.Since(u.used) >= since {
			delete(us.known, to)
			old = append(old, u)
		}
	}
	return old
}

func closeAll(old []*upstream) {
	for _, u := range old {
		u.client.Close()
	}
}

// Do implements client.Doer. The upstream stays open until the exchange is over,
// which may be after the response: the application has still to say so.
func (u *upstream) Do(ctx context.Context, req *client.Request) (*client.Response, error) {
	u.owner.hold(u)
	context.AfterFunc(ctx, func() { u.owner.release(u) })
	return u.client.Do(ctx, req)
}

// newUpstream makes an upstream with the transport's settings.
func (t *Transport) newUpstream(to target) *upstream {
	keep := t.keepAlive()
	u := &upstream{target: to, owner: t.upstreams}
	u.client = &client.Client{
		Dial:               t.dialer(to),
		DialTimeout:        time.Duration(t.DialTimeout),
		KeepConn:           *keep.Enabled,
		MaxConns:           t.MaxConns,
		MaxIdle:            keep.MaxIdleConns,
		IdleTimeout:        time.Duration(keep.IdleTimeout),
		MaxRequestsPerConn: keep.MaxRequests,
		Multiplex:          t.multiplex(),
		MaxActivePerConn:   t.MaxActivePerConn,
		SpoolLimit:         t.SpoolLimit,
		SpoolDir:           t.SpoolDir,
	}
	if t.TLS != nil {
		u.client.Addr = "tls:" + to.address
		u.client.CAFile, u.client.ServerName = t.TLS.CAFile, t.TLS.ServerName
		u.client.CertFile, u.client.KeyFile = t.TLS.CertFile, t.TLS.KeyFile
		u.client.ErrorLog = t.slog()
	}
	u.transport = &client.Transport{
		Client:                u,
		Params:                paramsOf,
		ServerSoftware:        t.software,
		SpoolMemory:           t.SpoolMemory,
		SpoolLimit:            t.SpoolLimit,
		SpoolDir:              t.SpoolDir,
		StreamBody:            t.StreamBody,
		CollectBody:           t.CollectBody,
		ResponseHeaderTimeout: t.headerTimeout(),
		NoUpgrade:             t.NoUpgrade,
		Stderr:                logStderr,
		ErrorLog:              t.slog(),
	}
	return u
}

// keepAlive returns the settings with their default.
func (t *Transport) keepAlive() KeepAlive {
	var keep KeepAlive
	if t.KeepAlive != nil {
		keep = *t.KeepAlive
	}
	if keep.Enabled == nil {
		enabled := t.MaxConns > 0
		keep.Enabled = &enabled
	}
	return keep
}

// idleTimeout is how long a connection is kept idle; below zero: for ever.
func (t *Transport) idleTimeout() time.Duration {
	if idle := time.Duration(t.keepAlive().IdleTimeout); idle != 0 {
		return idle
	}
	return client.DefaultIdleTimeout
}

func (t *Transport) multiplex() client.Multiplex {
	switch t.Multiplex {
	case "on":
		return client.MultiplexOn
	case "ask":
		return client.MultiplexAsk
	}
	return client.MultiplexOff
}

// headerTimeout is the limit for a header, below zero if there is none.
func (t *Transport) headerTimeout() time.Duration {
	switch {
	case t.ResponseHeaderTimeout != 0:
		return time.Duration(t.ResponseHeaderTimeout)
	case t.ReadTimeout != 0:
		return time.Duration(t.ReadTimeout)
	}
	return -1
}

// dialer returns what makes a connection to an upstream.
func (t *Transport) dialer(to target) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, to.network, to.address)
		switch {
		case err != nil:
			return nil, &dialError{err: err, final: t.failFast}
		case t.WriteTimeout > 0:
			return &timedConn{Conn: nc, timeout: time.Duration(t.WriteTimeout)}, nil
		}
		return nc, nil
	}
}

// A dialError says that no connection could be made.
type dialError struct {
	err   error
	final bool // it is not to be tried again
}

func (e *dialError) Error() string { return e.err.Error() }

// Unwrap hides the reason of an error that is final, since package client tries
// again while nobody listens.
func (e *dialError) Unwrap() error {
	if e.final {
		return nil
	}
	return e.err
}
