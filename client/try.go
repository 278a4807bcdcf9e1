package client

import (
	"context"
	"errors"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A try is the way of a request to its response: on one connection, and, if it comes to nothing there that anybody could
// have noticed, on another.
type try struct {
	client   *Client
	req      *Request
	params   params
	bodies   rewinder
	x        *exchange // of the last connection
	err      error     // what came of it
	begun    time.Time // when that was
	after    uint64    // the number that the next connection's has to exceed
	crowded  int       // how often it was one too many
	repeated bool      // although the connection was new
	dials    dialing
}

// newTry returns the error of a request that is not to be sent at all.
func newTry(c *Client, req *Request) (try, error) {
	if err := req.check(); err != nil {
		return try{}, err
	}
	p, err := req.encode(c.SplitPairs)
	return try{client: c, req: req, params: p, bodies: newRewinder(req.Stdin, req.Data), dials: c.newDialing()}, err
}

// run does the request.
func (t *try) run(ctx context.Context) (*Response, error) {
	defer t.params.release()
	for {
		err := t.once(ctx)
		if err == nil {
			return &t.x.response, nil
		}
		if !t.again(ctx) {
			return nil, err
		}
	}
}

// once runs the request on one connection, up to the first byte of its response.
func (t *try) once(ctx context.Context) error {
	t.x = nil
	for {
		conn, err := t.client.acquire(ctx, t.after, &t.dials)
		if err != nil {
			t.err = err
			return err
		}
		if t.x = conn.start(ctx, t.req, &t.params); t.x != nil {
			break
		}
		// The connection died between the pool and here.
	}
	t.begun = time.Now()
	t.x.send(t.req)
	t.err = t.x.awaitFirst()
	return t.err
}

// again reports whether to try once more, and prepares for it.
func (t *try) again(ctx context.Context) bool {
	if t.x == nil || !t.bodies.ok {
		return false // there was no connection, or there is no second body
	}
	return t.worthwhile(ctx) && t.rewind()
}

// rewind takes the bodies back to where they were, once the goroutine that sends them has ended: with the exchange over, that
// is after the Read in progress.
func (t *try) rewind() bool {
	if t.x.sender != nil {
		<-t.x.sender
	}
	return t.bodies.rewind()
}

// worthwhile reports whether another connection of the client may do better than the last.
func (t *try) worthwhile(ctx context.Context) bool {
	c := t.client
	switch f := t.x.failure(); {
	case f.crowded:
		if f.refused == protocol.StatusCantMultiplex {
			c.unshare()
		}
		t.crowded++
		return t.crowded <= maxCrowded
	case f.lost == nil || f.answered || f.delivered && !t.req.idempotent():
		return false
	case f.reused:
		// If one kept connection is dead, the application was restarted and the
		// others are dead as well.
		c.closeIdle(f.newest)
		if t.x.conn.shared && t.after == 0 {
			t.after = f.newest // those that were lost together share the next one
		} else {
			t.after = brandNew // where it is the first
			t.repeated = t.x.conn.shared
		}
		return true
	case alerted(f.lost):
		return false
	case errors.Is(f.lost, syscall.ECONNRESET):
		return t.dials.wait(ctx, f.lost) == nil
	case t.dials.once || t.repeated || time.Since(t.begun) >= promptly:
		return false
	}
	t.repeated = true
	return true
}

// maxCrowded is how often a request may be one too many on its connection.
const maxCrowded = 3

// promptly is how soon an application that was asked is lost in a restart, rather than because the request itself is too
// much for it.
const promptly = time.Second

// elsewhere reports whether another application may do what this one has failed to, and prepares for it.
func (t *try) elsewhere(ctx context.Context) bool {
	if t.x == nil {
		return true // nothing has been read of the bodies
	}
	f := t.x.failure()
	var broken *protocol.Error
	switch {
	case f.refused == protocol.StatusOverloaded, f.refused == protocol.StatusCantMultiplex:
	case f.lost != nil, errors.As(t.err, &broken), sentElsewhere(ctx):
		if f.delivered && !t.req.idempotent() {
			return false
		}
	default:
		return false
	}
	return t.bodies.ok && t.rewind()
}

// A failure is what is known of a request that failed.
type failure struct {
	lost      error           // how its connection was lost, if that is why
	answered  bool            // something arrived
	delivered bool            // a part of it went out
	reused    bool            // the connection had had another request before
	newest    uint64          // the number of the connection that was begun last when that one was lost
	crowded   bool            // it was refused beside others
	refused   protocol.Status // with this status
}

// failure returns what is known, once the exchange is over: nothing more is sent of the request then.
func (x *exchange) failure() failure {
	x.conn.mu.Lock()
	defer x.conn.mu.Unlock()
	f := failure{answered: x.answered, reused: x.reused, crowded: x.crowded, lost: x.lost, newest: x.conn.newest}
	if x.ended {
		f.refused = x.end.Status
	}
	f.delivered = x.delivered()
	return f
}
