package protocol

import (
	"errors"
	"fmt"
)

// A Scope says how much an error takes with it.
type Scope uint8

const (
	// ScopeRequest is an error that ends one request; the connection and the
	// other requests on it go on.
	ScopeRequest Scope = iota
	// ScopeConnection is an error after which the connection must be closed:
	// the bytes that follow can no longer be trusted.
	ScopeConnection
)

// String returns "request" or "connection".
func (s Scope) String() string {
	if s == ScopeConnection {
		return "connection"
	}
	return "request"
}

// The causes of an [Error], for errors.Is.
var (
	ErrVersion         = errors.New("unsupported protocol version")
	ErrContentLength   = errors.New("content has the wrong length")
	ErrActiveID        = errors.New("request id is already active")
	ErrNullID          = errors.New("application record with request id 0")
	ErrTruncatedPair   = errors.New("name-value pair is cut short")
	ErrNUL             = errors.New("NUL byte in a name-value pair")
	ErrTooManyPairs    = errors.New("too many parameters")
	ErrParamsTooLarge  = errors.New("parameters are too large")
	ErrUnexpectedState = errors.New("record does not fit the state of the request")
	ErrInactiveID      = errors.New("request id is not active")
	ErrWrongSide       = errors.New("record is not for this end to send")
)

// An Error says that the peer broke the protocol or passed a limit, or, when a
// sending method returns it, that the caller tried to.
type Error struct {
	Scope     Scope
	Type      RecordType // of the record at fault; zero if its header is at fault
	RequestID uint16     // of the record at fault
	Section   string     // of the specification, for instance "5.1"; empty for a limit of ours
	Err       error      // the cause
}

// Error returns one line that names the record, the cause and the section.
func (e *Error) Error() string {
	s := "fastcgi: protocol: "
	if e.Type != 0 {
		s += fmt.Sprintf("%v for request %d: ", e.Type, e.RequestID)
	}
	s += e.Err.Error()
	if e.Section != "" {
		s += " (FastCGI 1.0 §" + e.Section + ")"
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func connError(t RecordType, id uint16, section string, err error) *Error {
	return &Error{Scope: ScopeConnection, Type: t, RequestID: id, Section: section, Err: err}
}

func requestError(t RecordType, id uint16, section string, err error) *Error {
	return &Error{Scope: ScopeRequest, Type: t, RequestID: id, Section: section, Err: err}
}
