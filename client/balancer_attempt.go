package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An elsewhereError is the cause with which a Balancer ends a context to have the request tried elsewhere. A Client takes
// it for a connection that was lost, rather than for a caller who has lost interest.
type elsewhereError struct{ error }

func (e *elsewhereError) Unwrap() error { return e.error }

// sentElsewhere reports whether a context ended for that.
func sentElsewhere(ctx context.Context) bool {
	var e *elsewhereError
	return errors.As(context.Cause(ctx), &e)
}

// attempt does a call on the application whose slot it has, up to the first byte of the response. The call is released
// when the response is over; if there is an error, that is left to the caller.
func (b *Balancer) attempt(ctx context.Context, c *call, s slot) (resp *Response, again bool, err error) {
	if s.suspect {
		s.app.client.CloseIdle()
	}
	w := b.watch(ctx, c, s)
	resp, again, err = s.app.client.attempt(w.ctx, c.req)
	inTime := w.answered()
	switch {
	case err != nil:
		w.end()
		return nil, again, err
	case !inTime:
		// The first byte came at the moment at which the request was given up.
		resp.Close()
		cause := context.Cause(w.ctx)
		return nil, c.req.idempotent() && c.req.Stdin == nil && c.req.Data == nil, cause
	}
	b.succeeded(s.app)
	s.trial = false // that is decided
	resp.notify(func() {
		w.end()
		b.over(s, causeOf(ctx, resp.x.err), resp.x.err)
	})
	return resp, false, nil
}

// A watch gives a request up, for the wait for its first byte to last no longer than it may.
type watch struct {
	ctx     context.Context
	cancel  context.CancelCauseFunc // nil if there is nothing to watch
	decided atomic.Bool             // the first byte has come, or the request was given up
	timer   *time.Timer
	unwatch func() bool // stops waiting for the application to be found ill
}

// watch returns the context for a call. It ends for ResponseTimeout; and when checks find the application ill, if the
// call may be repeated wherever it is.
func (b *Balancer) watch(ctx context.Context, c *call, s slot) *watch {
	w := &watch{ctx: ctx}
	byChecks := s.down != nil && c.req.idempotent()
	if b.ResponseTimeout <= 0 && !byChecks {
		return w
	}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	if b.ResponseTimeout > 0 {
		w.timer = time.AfterFunc(b.ResponseTimeout, func() {
			w.giveUp(&elsewhereError{fmt.Errorf("fastcgi: application %s did not answer within %v: %w",
				s.app.name, b.ResponseTimeout, context.DeadlineExceeded)})
		})
	}
	if byChecks {
		w.unwatch = context.AfterFunc(s.down, func() { w.giveUp(context.Cause(s.down)) })
	}
	return w
}

func (w *watch) giveUp(cause error) {
	if w.decided.CompareAndSwap(false, true) {
		w.cancel(cause)
	}
}

// answered ends the watch, and reports whether the request was not given up before.
func (w *watch) answered() bool {
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.unwatch != nil {
		w.unwatch()
	}
	return w.decided.CompareAndSwap(false, true)
}

// end lets go of the context.
func (w *watch) end() {
	if w.cancel != nil {
		w.cancel(nil)
	}
}

// succeeded takes note of an answer.
func (b *Balancer) succeeded(a *app) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	b.setHealth(a, succeeded, now)
	b.dispatch(now)
}

// over ends a call. A connection's mu may be held.
func (b *Balancer) over(s slot, why cause, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	a := s.app
	b.release(s)
	if why == causeNone {
		a.totals.completed++
	} else {
		a.totals.failures.count(why)
	}
	switch {
	case why == causeUnknownRole:
		// It is as well as ever.
		b.setHealth(a, succeeded, now)
	case why.isFault():
		a.totals.note(err, now)
		b.sicken(a, now)
	}
	b.dispatch(now)
}

// A cause is why a request failed, as far as FailureCounts tells.
type cause int

const (
	causeNone cause = iota
	causeDial
	causeLost
	causeTimeout
	causeOverloaded
	causeProtocol
	causeFoundIll
	causeCannotMultiplex
	causeUnknownRole
	causeCanceled
	causeOther
)

// isFault reports whether the cause says that the application is not well. That it was found ill, the check has said
// already.
func (c cause) isFault() bool { return c >= causeDial && c <= causeProtocol }

// causeOf tells the cause of an error of a request with a context.
func causeOf(ctx context.Context, err error) cause {
	var (
		given    *elsewhereError
		dialled  *dialError
		refused  *RefusedError
		broken   *protocol.Error
		source   *sourceError
		lostConn *net.OpError
	)
	switch {
	case err == nil:
		return causeNone
	case ctx.Err() != nil, errors.Is(err, ErrClosed), errors.Is(err, errResponseClosed):
		return causeCanceled
	case errors.As(err, &source):
		return causeOther
	case errors.As(err, &given) && errors.Is(err, context.DeadlineExceeded):
		return causeTimeout
	case errors.As(err, &given):
		return causeFoundIll
	case errors.As(err, &dialled):
		return causeDial
	case errors.As(err, &refused):
		return refusal(refused.Status)
	case errors.As(err, &broken):
		return causeProtocol
	case errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &lostConn):
		return causeLost
	}
	return causeOther
}

func refusal(s protocol.Status) cause {
	switch s {
	case protocol.StatusOverloaded:
		return causeOverloaded
	case protocol.StatusCantMultiplex:
		return causeCannotMultiplex
	case protocol.StatusUnknownRole:
		return causeUnknownRole
	}
	return causeProtocol
}
