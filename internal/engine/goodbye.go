package engine

import (
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A web server that keeps connections may send its next request on one that the application is just closing. That
// request is lost: it may have been acted upon, so a POST is not sent again. FastCGI has no word for "this is the last
// answer on this connection", and even a connection that is closed right behind the answer is used again by a web
// server that has read the answer and not yet the end: 300 of 100,000 requests were lost so in 50 restarts.
//
// Some web servers can be told nevertheless, in the same write as the answer, and a server that shuts down does so, as
// long as it is sure of whom it talks to. A goodbye on an idle connection has both of them close it; where a request
// has crossed it, it means nothing, and the request is answered.

// A goodbye is what a web server takes for the end of a connection that it keeps.
type goodbye uint8

const (
	unknownGoodbye goodbye = iota // no request has said who the web server is
	noGoodbye
	// recordGoodbye is nginx's: it does not keep a connection on which anything comes behind END_REQUEST. An empty
	// record of STDERR with the id of all of nginx's requests does, and is the end of a stream without content for
	// one that has begun meanwhile.
	recordGoodbye
	// statusGoodbye is HAProxy's: it does not keep a connection on which it was told OVERLOADED, be it with an answer
	// that is complete.
	statusGoodbye
)

// The goodbyes of a connection: which one its web server understands, and what was said. Guarded by conn.mu.
type goodbyes struct {
	goodbye     goodbye
	lastID      uint16 // of the request that was begun last
	owesGoodbye bool   // one is to be said once all is sent
	toldLast    bool   // statusGoodbye was said: whatever else is answered is dropped
}

// meet finds out which goodbye the web server understands that keeps a connection.
func (c *conn) meet(x *exchange) {
	if c.goodbye != unknownGoodbye || !c.proto.KeepConn() {
		return
	}
	software := x.peekParameters().Get("SERVER_SOFTWARE")
	switch {
	case strings.HasPrefix(software, "nginx/"):
		c.goodbye = recordGoodbye
	case strings.HasPrefix(software, "HAProxy "):
		c.goodbye = statusGoodbye
	default:
		c.goodbye = noGoodbye
	}
}

// sayGoodbye has the web server close a connection that is idle. HAProxy closes an idle one whatever comes, and drops
// what comes for a request that is over.
func (c *conn) sayGoodbye() {
	c.owesGoodbye = false
	if c.state != connParting || c.goodbye <= noGoodbye {
		return
	}
	c.makeReplies()
	c.replies = protocol.AppendStreamEnd(c.replies, protocol.TypeStderr, c.lastID)
}

// lastGoodbye returns the goodbye that belongs to the end of a request, if that is the connection's last. A connection
// that requests have shared gets none: HAProxy gives up all that it still expects there.
func (c *conn) lastGoodbye() goodbye {
	if c.state != connDraining || len(c.active) != 1 || c.mode == flowShared {
		return noGoodbye
	}
	c.toldLast = c.goodbye == statusGoodbye
	return c.goodbye
}

// append adds a goodbye to b, which ends with END_REQUEST of a request.
func (g goodbye) append(b []byte, id uint16) []byte {
	switch g {
	case recordGoodbye:
		return protocol.AppendStreamEnd(b, protocol.TypeStderr, id)
	case statusGoodbye:
		const statusAt = 4 // from the end (§5.5)
		if status := &b[len(b)-statusAt]; protocol.Status(*status) == protocol.StatusRequestComplete {
			*status = byte(protocol.StatusOverloaded)
		}
	}
	return b
}

// sendsLast reports whether the connection closes behind what it is about to send, because the server shuts down.
func (c *conn) sendsLast() bool {
	return c.state == connDraining && len(c.active) == 0 && len(c.ready) == 0 && len(c.replies) == 0 && c.proto.Idle()
}
