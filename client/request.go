package client

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Pair is a parameter of a request with its value: a CGI variable, usually.
type Pair = protocol.Pair

// A Request is what an application is asked.
type Request struct {
	// Role is what the application is to be. Zero means RoleResponder.
	Role protocol.Role

	// Params are sent in this order, duplicates included. An authorizer is not
	// sent CONTENT_LENGTH, PATH_INFO, PATH_TRANSLATED and SCRIPT_NAME (§6.3).
	//
	// No name and no value may contain NUL.
	Params []Pair

	// Stdin is the request's body; nil means an empty one. It is read in a
	// goroutine of its own, until its end or until the response is over; a Read in
	// progress at that moment is not waited for. An error from it other than
	// io.EOF ends the request with that error, and the application sees the
	// connection close rather than a short body with a proper end.
	//
	// An authorizer has no STDIN.
	Stdin io.Reader

	// Data is the file for a filter, sent after Stdin, and read like it (§6.4).
	// FCGI_DATA_LENGTH and FCGI_DATA_LAST_MOD are for the caller to set.
	Data io.Reader

	// Stderr receives what the application writes on STDERR, as it arrives; nil
	// discards it. Write is called by one goroutine, never after the end of the
	// response, an error or Close was returned, and holds the response up while
	// it runs. Its errors are ignored.
	Stderr io.Writer
}

func (r *Request) role() protocol.Role {
	if r.Role == 0 {
		return protocol.RoleResponder
	}
	return r.Role
}

// check finds mistakes of the caller before anything is sent.
func (r *Request) check() error {
	switch {
	case r.Stdin != nil && r.role() == protocol.RoleAuthorizer:
		return errors.New("fastcgi: an authorizer has no STDIN (FastCGI 1.0 §6.3)")
	case r.Data != nil && r.role() != protocol.RoleFilter:
		return errors.New("fastcgi: only a filter has DATA (FastCGI 1.0 §6.4)")
	}
	return nil
}

// checkNUL finds a parameter with NUL.
func (r *Request) checkNUL() error {
	for _, p := range r.Params {
		if strings.IndexByte(p.Name, 0) >= 0 || strings.IndexByte(p.Value, 0) >= 0 {
			return fmt.Errorf("fastcgi: parameter %q: %w", p.Name, protocol.ErrNUL)
		}
	}
	return nil
}

// has reports whether the role gets a parameter.
func (r *Request) has(name string) bool {
	return r.Role != protocol.RoleAuthorizer || !notForAuthorizers(name)
}

// notForAuthorizers reports whether §6.3 bars a variable from authorizers.
func notForAuthorizers(name string) bool {
	switch name {
	case "CONTENT_LENGTH", "PATH_INFO", "PATH_TRANSLATED", "SCRIPT_NAME":
		return true
	}
	return false
}

// idempotent reports whether doing the request twice does no more than doing it
// once: whether its method is safe (RFC 9110 §9.2.1).
func (r *Request) idempotent() bool {
	for _, p := range r.Params {
		if p.Name == "REQUEST_METHOD" {
			switch p.Value {
			case "GET", "HEAD", "OPTIONS", "TRACE":
				return true
			}
		}
	}
	return false
}

// A rewinder takes the bodies of a request back to where they were, for a second
// try.
type rewinder struct {
	marks []mark
	ok    bool // all bodies can be rewound
}

type mark struct {
	body io.Seeker
	at   int64
}

func newRewinder(bodies ...io.Reader) rewinder {
	w := rewinder{ok: true}
	for _, b := range bodies {
		if b == nil {
			continue
		}
		s, ok := b.(io.Seeker)
		if !ok {
			w.ok = false
			continue
		}
		// A pipe is a Seeker in name only.
		at, err := s.Seek(0, io.SeekCurrent)
		w.ok = w.ok && err == nil
		w.marks = append(w.marks, mark{s, at})
	}
	return w
}

func (w *rewinder) rewind() bool {
	for _, m := range w.marks {
		if _, err := m.body.Seek(m.at, io.SeekStart); err != nil {
			return false
		}
	}
	return true
}
