package protocol_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  *protocol.Error
		want string
	}{
		{
			&protocol.Error{Type: protocol.TypeParams, RequestID: 7, Section: "3.4", Err: protocol.ErrTruncatedPair},
			"fastcgi: protocol: PARAMS for request 7: name-value pair is cut short (FastCGI 1.0 §3.4)",
		},
		{
			&protocol.Error{Type: protocol.TypeParams, RequestID: 7, Err: protocol.ErrTooManyPairs},
			"fastcgi: protocol: PARAMS for request 7: too many parameters",
		},
		{
			// The header that would name a record is the one that cannot be trusted.
			&protocol.Error{Scope: protocol.ScopeConnection, Section: "3.3", Err: protocol.ErrVersion},
			"fastcgi: protocol: unsupported protocol version (FastCGI 1.0 §3.3)",
		},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// Each fault is found with errors.Is and errors.As, wrapped or not.
func TestErrorCauses(t *testing.T) {
	for _, tt := range []struct {
		input []byte
		cause error
		scope protocol.Scope
	}{
		{[]byte("GET"), protocol.ErrVersion, protocol.ScopeConnection},
		{wire(record{protocol.TypeBeginRequest, 1, ""}), protocol.ErrContentLength, protocol.ScopeConnection},
		{wire(begin(1, responder, 0), begin(1, responder, 0)), protocol.ErrActiveID, protocol.ScopeConnection},
		{wire(begin(0, responder, 0)), protocol.ErrNullID, protocol.ScopeConnection},
		{wire(begin(1, responder, 0), params(1, "\x01"), params(1, "")), protocol.ErrTruncatedPair, protocol.ScopeConnection},
		{wire(begin(1, responder, 0), params(1, nv("a", "\x00"))), protocol.ErrNUL, protocol.ScopeRequest},
		{wire(begin(1, responder, 0), params(1, nv("", "")+nv("", ""))), protocol.ErrTooManyPairs, protocol.ScopeRequest},
		{wire(begin(1, responder, 0), params(1, nv("abcde", "fghij"))), protocol.ErrParamsTooLarge, protocol.ScopeRequest},
	} {
		t.Run(tt.cause.Error(), func(t *testing.T) {
			c := protocol.NewConn(protocol.Application, &protocol.Config{MaxParams: 10, MaxPairs: 1})
			var err error
			for p := tt.input; len(p) > 0 && err == nil; {
				_, p, err = c.Next(p)
			}
			var fault *protocol.Error
			if wrapped := fmt.Errorf("reading: %w", err); !errors.Is(wrapped, tt.cause) || !errors.As(wrapped, &fault) {
				t.Fatalf("got %v", err)
			}
			if fault.Scope != tt.scope {
				t.Errorf("its scope is the %v", fault.Scope)
			}
		})
	}
}

// After an error of the connection each call says the same; nothing more is read.
func TestErrorsAreFinal(t *testing.T) {
	c := protocol.NewConn(protocol.Application, nil)
	_, _, first := c.Next(wire(begin(0, responder, 0)))
	ev, rest, again := c.Next(wire(begin(1, responder, 0)))
	if first == nil || !errors.Is(again, first) || ev.Type != 0 || len(rest) > 0 || c.Active() != 0 {
		t.Errorf("got %v, then %v, %v, %q", first, ev.Type, again, rest)
	}
	if c.Idle() {
		t.Error("idle, though in the middle of a record")
	}
}

// The parsers of fixed contents accept eight bytes and no others.
func TestFixedContents(t *testing.T) {
	for _, n := range []int{0, 7, 9, 16} {
		var fault *protocol.Error
		if _, err := protocol.ParseBeginRequest(make([]byte, n)); !errors.Is(err, protocol.ErrContentLength) || !errors.As(err, &fault) || fault.Section != "5.1" {
			t.Errorf("BEGIN_REQUEST of %d bytes: %v", n, err)
		}
		if _, err := protocol.ParseEndRequest(make([]byte, n)); !errors.Is(err, protocol.ErrContentLength) || !errors.As(err, &fault) || fault.Section != "5.5" {
			t.Errorf("END_REQUEST of %d bytes: %v", n, err)
		}
	}
}
