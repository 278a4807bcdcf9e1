// Package driver is the seam between a connection and what moves its bytes.
//
// Above it, package fastcgi has one connection object, which knows requests
// and buffers and never sees a socket. Below it, a driver knows sockets and
// nothing of FastCGI. A driver's two rules: it calls Receive, ReceiveEnd,
// Hangup, Expire and whatever was posted one at a time for each connection (that is
// the connection's loop), and it calls Sent once for each Send that it did not
// finish, unless the connection is closed before.
package driver

import (
	"net"
	"time"
)

// A Conn is a connection above the seam.
type Conn interface {
	// Receive is given the bytes that arrived, at about now. It does not keep p.
	Receive(p []byte, now Instant)
	// ReceiveEnd says that nothing more will arrive: io.EOF if the peer closed
	// its side, net.ErrClosed if this side did, or what went wrong. It is the
	// last call on the loop that the driver makes on its own.
	ReceiveEnd(err error)
	// Hangup says, while reading is paused, that the peer has closed its
	// side, behind bytes that were not read yet.
	Hangup()
	// Expire says that the time given to SetDeadline has come.
	Expire(now Instant)
	// Sent says that what Send left to the driver is written, or why it can
	// not be. After an error, which is final, Send is not called again.
	Sent(err error)
}

// A Socket is a connection below the seam. Its methods are safe for concurrent
// use and never wait for the peer.
type Socket interface {
	// Send writes head and then body, at once what the socket takes of them. If
	// that is all, or there is an error, it returns true. Otherwise the driver
	// writes the rest as soon as it can and calls Sent, until when both are to be
	// left alone, and Send not to be called. Body may be empty.
	Send(head, body []byte) (done bool, err error)
	// Keep has the driver copy what is left of the body that was sent last, if
	// anything is, so that it may be used for something else.
	Keep()
	// SetDeadline asks for a call of Expire at t; zero for none.
	SetDeadline(t Instant)
	// Pause stops calls of Receive until Resume; one more may come.
	Pause()
	Resume()
	// Loop is what the connection's callbacks run on.
	Loop
	// CloseWrite closes this side's half, so that the peer sees the end.
	CloseWrite()
	// Close closes the connection, whatever Send has left to be written.
	// ReceiveEnd follows if it has not been called.
	Close()
	// RemoteAddr is the peer's address.
	RemoteAddr() net.Addr
}

// A Loop runs functions one at a time.
type Loop interface {
	// Post runs f on the loop, after Post has returned. It is safe for
	// concurrent use.
	Post(f func())
}

// An Acceptor makes the connections above the seam.
type Acceptor interface {
	// Accept returns the Conn for a new connection, or nil to close it.
	Accept(s Socket) Conn
	// AcceptFailed is told of an error that accepting recovers from, and how
	// long it will rest.
	AcceptFailed(err error, rest time.Duration)
}

// A Driver serves listeners.
type Driver interface {
	// Serve accepts connections from l until l fails or is closed, and
	// returns why. The connections go on.
	Serve(l net.Listener, a Acceptor) error
	// Stop makes Serve(l) return. Closing l does, too, but may take a moment
	// to be noticed.
	Stop(l net.Listener)
	// Loop returns a loop that belongs to no connection: a function that blocks on
	// it delays no other than those that were posted to it.
	Loop() Loop
}
