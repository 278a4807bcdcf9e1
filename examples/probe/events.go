package main

import (
	"context"
	"math"
	"net/http"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// goodbye is the last line of events, when the server shuts down.
const goodbye = "bye\n"

// eventsSync sends lines until the server shuts down.
func eventsSync(w fastcgi.ResponseWriter, r *fastcgi.Request, o order) error {
	if err := fastcgi.SendResponse(w, 200, "text/plain", nil); err != nil {
		return err
	}
	return events(r.Context(), r.Draining(), o, func(line []byte) error {
		if _, err := w.Write(line); err != nil {
			return err
		}
		return w.Flush()
	})
}

// eventsHTTP is eventsSync for net/http.
func eventsHTTP(w http.ResponseWriter, r *http.Request, o order) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out := http.NewResponseController(w)
	draining := fastcgi.FromContext(r.Context()).Draining()
	return events(r.Context(), draining, o, func(line []byte) error {
		if _, err := w.Write(line); err != nil {
			return err
		}
		return out.Flush()
	})
}

// events gives send the lines, in time, and a last one when the server shuts down.
func events(ctx context.Context, draining <-chan struct{}, o order, send func(line []byte) error) error {
	for i := int64(0); ; i++ {
		if err := send(line(i)); err != nil {
			return err
		}
		select {
		case <-time.After(o.wait):
		case <-draining:
			return send([]byte(goodbye))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// eventsAsync is a stream that the end of the server ends.
func eventsAsync(c *call) {
	c.order.n = math.MaxInt64
	s := newAsyncStream(c)
	c.ex.OnShutdown(func() {
		s.stop()
		s.leaving = true
		s.send()
	})
	s.begin()
}
