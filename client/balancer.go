package client

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// The defaults of [Balancer].
const (
	DefaultMaxQueue        = 1000
	DefaultQueueTimeout    = 10 * time.Second
	DefaultMaxRetries      = 3
	DefaultMaxFailures     = 3
	DefaultFailureWindow   = 10 * time.Second
	DefaultEjectionTime    = 250 * time.Millisecond
	DefaultMaxEjectionTime = 30 * time.Second
	DefaultResolveInterval = 30 * time.Second
)

// balancedDialTimeout is the DialTimeout of the clients that a Balancer makes by itself.
const balancedDialTimeout = time.Second

// ErrUnavailable says that a Balancer had no application to give a request to: there is none, all are drained, or none
// became free while the request waited. If one had failed before, the error wraps that failure as well.
var ErrUnavailable = errors.New("fastcgi: no application is available")

// A Balancer sends requests to several FastCGI applications, each of which it takes to do the same. It leaves those alone
// that fail, and has another one answer what may be repeated.
//
// A Balancer with Applications works; so does the zero value, once some have been added. Its methods may be called
// concurrently. Its fields must not change after the first call, which starts it. It must not be copied. Close ends it.
//
// In every number here, zero means the default, and below zero means no limit; MaxQueue says otherwise.
type Balancer struct {
	// Applications are those that there are from the beginning. See Add and Remove for later.
	Applications []Application

	// NewClient makes the client of the application at an address, which is one of Applications' or, where that has a
	// host's name, one with an IP address in its place. The Balancer closes it. It is called once more for an
	// application with a Check, which has connections of its own. If it is nil, it is a Client with this Addr and a
	// DialTimeout of 1 s.
	//
	// DialTimeout counts for one try here: where nobody listens, another application is tried at once.
	NewClient func(addr string) *Client

	// Policy says which application gets a request. The default is RoundRobin.
	Policy Policy

	// Key is what ConsistentHash goes by, such as KeyParam("REMOTE_ADDR"). It is called in the goroutine of Do.
	Key func(*Request) string

	// MaxInFlight is how many requests each application has in flight, unless its own MaxInFlight says otherwise: from
	// the choice until the response is over or closed. Set it to the number of workers, so that requests wait here, for
	// whoever is free first, and not at an application that is busy. The default is no limit.
	MaxInFlight int

	// MaxQueue is how many requests wait while all applications are at their limit or out of service. Further ones
	// fail with ErrUnavailable. The default is 1,000. Below zero, none waits.
	MaxQueue int

	// QueueTimeout is how long a request waits there, in all. The default is 10 s.
	QueueTimeout time.Duration

	// MaxRetries is how many other applications are tried for a request that may be repeated: see Do. One at which
	// nobody listens does not count. The default is 3.
	MaxRetries int

	// NoRetry has one application tried for each request, whatever becomes of it.
	NoRetry bool

	// ResponseTimeout is how long an application has for the first byte of its response, the time to connect and to
	// send the request included. Then the request is given up there, and may go to another one. The default is no
	// limit: a machine that vanishes without a word then holds a request until the context ends, or a Check finds out.
	ResponseTimeout time.Duration

	// MaxFailures is how many failures within FailureWindow take an application out of service. The default is 3.
	// Failures are connections that cannot be made or are lost, OVERLOADED, broken protocol, and ResponseTimeout.
	MaxFailures int

	// FailureWindow is the time within which MaxFailures count. The default is 10 s.
	FailureWindow time.Duration

	// EjectionTime is how long an application stays out of service after failures. It then gets one request at a time
	// until one succeeds, which brings it back, or fails, which takes it out for twice as long. The default is 250 ms.
	EjectionTime time.Duration

	// MaxEjectionTime is the longest that EjectionTime becomes. The default is 30 s.
	MaxEjectionTime time.Duration

	// SlowStart is the time in which an application that is new, or back in service, gets its share: it begins with a
	// tenth, and grows evenly. Those that the Balancer starts with have theirs at once. The default is none: so has
	// everyone.
	SlowStart time.Duration

	// Check asks each application at intervals whether it is well. If it is nil, only requests tell.
	Check *Check

	// ResolveInterval is how often hosts' names in addresses are looked up. Each IP address is an application; what
	// becomes of changes, Application.Addr says. The default is 30 s. Below zero they are looked up once.
	ResolveInterval time.Duration

	// Resolver looks names up. If it is nil, net.DefaultResolver does.
	Resolver Resolver

	once     sync.Once
	startErr error
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	running  sync.WaitGroup // all goroutines of the Balancer

	// mu guards what follows, and all that changes in entries, apps and calls. Nothing waits while it is held, and no
	// method of a Client is called. A connection's mu may be held when it is taken.
	mu       sync.Mutex
	closed   bool
	entries  []*entry
	apps     []*app      // those in the choice, drained ones included
	retiring []*app      // removed, with requests in flight
	queue    list.List   // of *queued, the oldest first
	recheck  *time.Timer // gives the queue what ejections leave; nil until it is needed
	waits    QueueState
}

var _ Doer = (*Balancer)(nil)

// start begins the work with Applications, at the first call of any method.
func (b *Balancer) start() error {
	b.once.Do(func() {
		b.ctx, b.cancel = context.WithCancel(context.Background())
		if b.startErr = b.valid(); b.startErr != nil {
			return
		}
		for _, a := range b.Applications {
			if b.startErr = b.add(a, true); b.startErr != nil {
				return
			}
		}
	})
	return b.startErr
}

// valid finds settings that cannot be meant.
func (b *Balancer) valid() error {
	switch {
	case !b.Policy.known():
		return fmt.Errorf("fastcgi: there is no policy %q for a Balancer", b.Policy)
	case b.Policy == ConsistentHash && b.Key == nil:
		return errors.New("fastcgi: a Balancer with ConsistentHash needs a Key")
	case b.Check != nil && b.Check.Request == nil:
		return errors.New("fastcgi: a Balancer's Check needs a Request")
	}
	return nil
}

// Do is [Client.Do] with one of the applications. Until the response is over or closed, the request is in flight there.
//
// It waits in a queue while no application has room for it. If an application fails the request before it has answered
// anything, another one is tried, each at most once, where that may be: as Client.Do says of a second try, and also if
// the application refused the request with OVERLOADED or CANT_MPX_CONN, if no connection could be made, and if it was
// given up for ResponseTimeout or by Check. One at which nobody listens may be tried again within QueueTimeout, once all
// others have been.
//
// The error is that of the last application that was tried, or wraps ErrUnavailable; ErrClosed after Close.
func (b *Balancer) Do(ctx context.Context, req *Request) (*Response, error) {
	if err := b.start(); err != nil {
		return nil, err
	}
	c := b.newCall(req)
	for {
		s, err := b.acquire(ctx, c)
		if err != nil {
			return nil, err
		}
		resp, again, err := b.attempt(ctx, c, s)
		if err == nil {
			return resp, nil
		}
		again = again && b.mayMove(c, s.app, err)
		b.over(s, causeOf(ctx, err), err)
		if !again {
			return nil, err
		}
	}
}

// CloseIdle closes the connections to all applications that are kept idle.
func (b *Balancer) CloseIdle() {
	b.mu.Lock()
	apps := append([]*app(nil), b.apps...)
	b.mu.Unlock()
	for _, a := range apps {
		a.client.CloseIdle()
	}
}

// Close ends all requests, those that wait included, with ErrClosed, closes all connections, and waits for the Balancer's
// goroutines. Later calls fail with ErrClosed.
func (b *Balancer) Close() error {
	b.start() // whose error has been told, or concerns nobody any more
	b.mu.Lock()
	b.closed = true
	b.stopRecheck()
	apps := append(b.apps, b.retiring...)
	b.apps, b.retiring = nil, nil
	b.mu.Unlock()
	b.cancel()
	for _, a := range apps {
		a.close()
	}
	b.running.Wait()
	return nil
}

func (b *Balancer) maxFailures() int { return limit.Of(b.MaxFailures, DefaultMaxFailures, 0) }
