// Package driver is the seam between a connection and what moves its bytes.
//
// Above it, a Conn knows requests and buffers and never sees a socket. Below it,
// a Driver knows sockets and nothing of FastCGI. Each connection has a loop: all
// that the driver calls of a Conn, and whatever was posted, runs one at a time,
// and none of it before Accept has returned. Any of these but Sent may end the
// goroutine that calls it (runtime.Goexit), which costs the driver nothing but that
// goroutine. Package drivertest has the rules as a table, and holds every driver to
// them.
//
// It sits on nothing. Package engine is above the seam, packages epoll and
// goroutine are below it, and package fastcgi brings them together.
package driver

import (
	"net"
	"time"
)

// A Conn is a connection above the seam.
type Conn interface {
	// Receive is given bytes that have arrived by now. It does not keep p.
	Receive(p []byte, now Instant)
	// ReceiveEnd says that nothing more will arrive: io.EOF if the peer closed
	// its side, net.ErrClosed if this side did, or what went wrong. It comes once,
	// and is the last call, but for a Sent that is owed and posted functions.
	ReceiveEnd(err error)
	// Hangup says, while reading is paused, that the peer has closed its side,
	// behind bytes that were not read yet. It may come more than once, and does
	// not where the system cannot tell.
	Hangup()
	// Expire says that the time given to SetDeadline has come, also while
	// reading is paused.
	Expire(now Instant)
	// Sent says that what Send left to the driver is written, or why it cannot
	// be: net.ErrClosed if Close came before, os.ErrDeadlineExceeded if the peer
	// took nothing for too long. After an error, which is final, Send is not called
	// again. It comes once for each Send that was not done, maybe before that has
	// returned.
	Sent(err error)
}

// A Socket is a connection below the seam. Its methods are safe for concurrent
// use and never wait for the peer.
type Socket interface {
	// Send writes head and then body, at once what the socket takes of them. If
	// that is all, or there is an error, it returns true. Otherwise the driver
	// writes the rest as the socket takes it and calls Sent. Until then both must
	// stay as they are, and Send must not be called. Either may be empty.
	Send(head, body []byte) (done bool, err error)
	// Keep has the driver copy what is left of the body that was sent last, if
	// anything is, so that it may be used for something else.
	Keep()
	// SetDeadline asks for one call of Expire, at t, in place of the one it was
	// asked for before; zero for none.
	SetDeadline(t Instant)
	// Pause stops calls of Receive until Resume; one more may come.
	Pause()
	Resume()
	// Loop is what the connection's callbacks run on.
	Loop
	// Cork has what is sent from now on wait for CloseWrite, so that the peer sees
	// the end together with what comes before it. It is TCP that can, on some
	// systems; elsewhere nothing waits.
	Cork()
	// CloseWrite closes this side's half, so that the peer sees the end.
	CloseWrite()
	// Close closes the connection, whatever Send has left to be written. Sent
	// follows if that is anything, and ReceiveEnd if it has not been called.
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
	// AcceptFailed is told of an error that accepting recovers from, and after
	// how long it is tried again.
	AcceptFailed(err error, delay time.Duration)
}

// A Driver serves listeners.
type Driver interface {
	// Serve accepts connections from l until l fails or is closed, and
	// returns why. The connections go on.
	Serve(l net.Listener, a Acceptor) error
	// Stop is called just before l is closed, so that Serve(l) need not find that
	// out for itself, which may take a moment.
	Stop(l net.Listener)
	// Loop returns a loop that belongs to no connection: a function that blocks on
	// it delays no other than those that were posted to it.
	Loop() Loop
}
