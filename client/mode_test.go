package client_test

import (
	"fmt"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A mode is how a client's requests use connections.
type mode struct {
	name      string
	multiplex client.Multiplex
}

// alone has a connection for each request, shared one for several.
var (
	alone  = mode{"alone", client.MultiplexOff}
	shared = mode{"shared", client.MultiplexOn}
)

// eachMode runs a test in all modes.
func eachMode(t *testing.T, test func(*testing.T, mode)) {
	t.Helper()
	for _, m := range []mode{alone, shared} {
		t.Run(m.name, func(t *testing.T) { test(t, m) })
	}
}

// shares reports whether requests share connections.
func (m mode) shares() bool { return m.multiplex != client.MultiplexOff }

// asking is for applications that may or may not serve requests side by side.
func (m mode) asking() client.Multiplex {
	if m.shares() {
		return client.MultiplexAsk
	}
	return client.MultiplexOff
}

// either returns what a test expects in the mode.
func (m mode) either(alone, shared string) string {
	if m.shares() {
		return shared
	}
	return alone
}

// newClient is newClient for a client of the mode.
func (m mode) newClient(t *testing.T, c *client.Client, script func(*fakeapp.Conn)) *client.Client {
	t.Helper()
	c.Multiplex = m.multiplex
	return newClient(t, c, script)
}

// pipeClient is pipeClient for a client of the mode.
func (m mode) pipeClient(t *testing.T, c *client.Client, script func(*fakeapp.Conn)) *client.Client {
	t.Helper()
	c.Multiplex = m.multiplex
	return pipeClient(t, c, script)
}

// givenUp returns once the application has seen that a request was given up: its connection closes; or, if it is shared,
// ABORT_REQUEST comes, which the application then answers with the end of the request. It says what it found before that.
func (m mode) givenUp(a *fakeapp.Conn, r *fakeapp.Request) error {
	if !m.shares() {
		return a.AwaitClose()
	}
	for {
		ev, err := a.Next()
		switch {
		case err != nil:
			return fmt.Errorf("the connection ended before ABORT_REQUEST: %w", err)
		case ev.Type == protocol.TypeStdin || ev.Type == protocol.TypeData:
		case ev.Type != protocol.TypeAbortRequest || ev.RequestID != r.ID:
			return fmt.Errorf("%v for request %d arrived where %d should have been aborted", ev.Type, ev.RequestID, r.ID)
		default:
			a.Say(r.End(0, complete))
			return nil
		}
	}
}
