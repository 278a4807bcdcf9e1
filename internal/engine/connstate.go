package engine

import "fmt"

// A connState is a connection's way to its end. Whether requests are active on it
// is no part of that: the events say when there is nothing left to do.
type connState uint8

const (
	_                 connState = iota
	connFresh                   // accepted; nothing has come
	connFreshDraining           // the same while the server shuts down: it may still have its one request
	connOpen                    // requests come and go
	connParting                 // idle while the server shuts down; a request may be on its way
	connDraining                // closes between two records, because the server shuts down
	connRetiring                // closes after the requests that it has: the last did not ask to keep it
	connHalfClosed              // the web server has closed its side; what it asked for is answered
	connLingering               // this side is closed; what still comes is read and dropped
	connClosed                  // the socket is closed; the driver will say that reading has ended
	connGone                    // both are over
	connStates                  // how many there are
)

// A connEvent is something that decides about a connection's end.
type connEvent uint8

const (
	evSpoke       connEvent = iota // the first byte has come
	evDrain                        // the server shuts down, and the connection is idle
	evDrainBusy                    // the server shuts down, and it is not
	evLastRequest                  // a request begins
	evGraceOver                    // no more requests are waited for
	evRetire                       // it is not to be kept
	evQuiet                        // everything is answered and sent, and nothing more can be on its way
	evQuietUnread                  // the same, but more of an ended request may be on its way
	evQuietInside                  // the same, and a record is incomplete
	evInputEnd                     // nothing more will be read
	evClose                        // there is no use for it any more
	connEvents
)

// connTable says where an event leads. What is not listed cannot happen.
//
// Closing a socket with input unread resets the connection, and the web server
// might lose the answer that it has not read yet. So where more may come, this
// side is closed first, and the socket when the other follows (§5.1 leaves open
// who waits for whom).
//
// A web server may send a request on an idle connection at the moment at which the
// application closes it, and cannot send a POST again. So a server that shuts down
// says goodbye with an answer: a connection that is busy is closed behind its last
// one, and an idle one waits a while for a request to be answered so.
var connTable = [connStates][connEvents]connState{
	connFresh: {
		evDrainBusy: connFreshDraining, evGraceOver: connFresh,
		evSpoke: connOpen, evDrain: connFreshDraining, evRetire: connRetiring,
		evQuiet: connFresh, evQuietUnread: connFresh, evQuietInside: connFresh,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connFreshDraining: {
		evDrainBusy: connFreshDraining, evGraceOver: connFreshDraining,
		evSpoke: connDraining, evDrain: connFreshDraining, evRetire: connRetiring,
		evQuiet: connFreshDraining, evQuietUnread: connFreshDraining, evQuietInside: connFreshDraining,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connOpen: {
		evDrainBusy: connDraining, evGraceOver: connOpen,
		evDrain: connParting, evRetire: connRetiring,
		evQuiet: connOpen, evQuietUnread: connOpen, evQuietInside: connOpen,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connParting: {
		evDrain: connParting, evDrainBusy: connParting, evLastRequest: connDraining, evGraceOver: connDraining,
		evRetire: connRetiring,
		evQuiet:  connParting, evQuietUnread: connParting, evQuietInside: connParting,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connDraining: {
		evDrainBusy: connDraining, evGraceOver: connDraining,
		evDrain: connDraining, evRetire: connRetiring,
		evQuiet: connClosed, evQuietUnread: connLingering, evQuietInside: connDraining,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connRetiring: {
		evDrainBusy: connRetiring, evGraceOver: connRetiring,
		evDrain: connRetiring, evRetire: connRetiring,
		evQuiet: connClosed, evQuietUnread: connLingering, evQuietInside: connLingering,
		evInputEnd: connHalfClosed, evClose: connClosed,
	},
	connHalfClosed: {
		evDrainBusy: connHalfClosed, evGraceOver: connHalfClosed,
		evDrain: connHalfClosed, evRetire: connHalfClosed,
		evQuiet: connGone, evQuietUnread: connGone, evQuietInside: connGone,
		evClose: connGone,
	},
	connLingering: {
		evDrainBusy: connLingering, evGraceOver: connLingering,
		evDrain: connLingering, evRetire: connLingering,
		evQuiet: connLingering, evQuietUnread: connLingering, evQuietInside: connLingering,
		evInputEnd: connGone, evClose: connClosed,
	},
	connClosed: {
		evDrainBusy: connClosed, evGraceOver: connClosed,
		evDrain: connClosed, evRetire: connClosed,
		evQuiet: connClosed, evQuietUnread: connClosed, evQuietInside: connClosed,
		evInputEnd: connGone, evClose: connClosed,
	},
	connGone: {
		evDrainBusy: connGone, evGraceOver: connGone,
		evDrain: connGone, evRetire: connGone,
		evQuiet: connGone, evQuietUnread: connGone, evQuietInside: connGone,
		evClose: connGone,
	},
}

// accepts reports whether requests may come in.
func (s connState) accepts() bool { return s < connLingering }

// socketClosed reports whether the socket is closed, or about to be.
func (s connState) socketClosed() bool { return s == connClosed || s == connGone }

// leaving reports whether the connection is on its way to its end.
func (s connState) leaving() bool { return s != connFresh && s != connOpen }

// on takes a connection along its table, and notes what entering the new state
// asks for.
func (c *conn) on(ev connEvent) {
	c.mu.assertHeld()
	was := c.state
	next := connTable[was][ev]
	if next == 0 {
		illegal("connection", was, ev)
		return
	}
	if next == was {
		return
	}
	c.state = next
	switch {
	case next == connLingering:
		c.effects.closeWrite = true
		c.beginLinger()
		c.adjustFlow()
	case next.socketClosed() && !was.socketClosed():
		c.effects.close = true
		c.effects.farewell = was == connDraining && ev == evQuiet
	}
	if next == connGone {
		c.effects.remove = true
	}
}

// illegal is for what a table says cannot happen: a bug of this package's. Tests
// are to find it; a server that runs goes on as if nothing had been said.
func illegal(what string, state, event fmt.Stringer) {
	if checking {
		panic(fmt.Sprintf("engine: %s: %v in state %v", what, event, state))
	}
}

var connStateNames = [connStates]string{
	"none", "fresh", "fresh draining", "open", "parting", "draining", "retiring", "half-closed", "lingering", "closed", "gone",
}

func (s connState) String() string { return connStateNames[s] }

var connEventNames = [connEvents]string{
	"spoke", "drain", "drain busy", "last request", "grace over", "retire", "quiet", "quiet unread", "quiet inside", "input end", "close",
}

func (e connEvent) String() string { return connEventNames[e] }
