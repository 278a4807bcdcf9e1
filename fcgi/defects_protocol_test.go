package fcgi_test

import (
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var protocolDefects = []difference{
	{
		what: "A request is aborted while its handler runs: END_REQUEST", holds: "A31, A32", want: "0 while it runs, 1 in all",
		run: inBubble(func(t *testing.T, impl implementation) string {
			release := make(chan struct{})
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadFull(r.Body, make([]byte, 4)); err != nil {
					t.Error(err)
				}
				<-release
			})
			w.send(open(1), stdin(1, "body"))
			w.send(abort(1))
			during := len(w.answer(1).ends)
			close(release)
			w.send()
			return fmt.Sprintf("%d while it runs, %d in all", during, len(w.answer(1).ends))
		}),
	},
	{
		what: "A request does not ask to keep the connection, and another shares it", holds: "A30", want: "the other is answered",
		run: inBubble(func(t *testing.T, impl implementation) string {
			release := make(chan struct{})
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) {
				if r.Method == "POST" {
					<-release
				}
			})
			w.send(get(1, "REQUEST_METHOD", "POST"))
			w.send(begin(2, protocol.RoleResponder, 0), params(2), stdin(2, ""))
			close(release)
			w.send()
			if len(w.answer(1).ends) == 0 {
				return "the other is cut off"
			}
			return "the other is answered"
		}),
	},
	{
		what: "An id is used again while its request runs", holds: "A12", want: "1 handler, connection closed",
		run: inBubble(func(t *testing.T, impl implementation) string {
			release := make(chan struct{})
			defer close(release)
			handlers := 0
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {
				handlers++
				<-release
			})
			w.send(get(1))
			w.send(get(1))
			if w.gone() != 0 {
				return fmt.Sprint(handlers, " handler, connection closed")
			}
			return fmt.Sprint(handlers, " handlers answer under one id")
		}),
	},
	{
		what: "A request with id 0, which is not for requests", holds: "A27", want: "connection closed",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			w.send(get(protocol.ManagementID))
			if w.gone() != 0 {
				return "connection closed"
			}
			return describe(w.answer(protocol.ManagementID))
		}),
	},
	{
		what: "The body begins before the parameters are complete", holds: "A16", want: "no handler yet",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
			w.send(begin(1, protocol.RoleResponder, keep), stdin(1, ""))
			if a := w.answer(1); len(a.ends) > 0 {
				return describe(a)
			}
			return "no handler yet"
		}),
	},
	{
		what: "GET_VALUES asks for FCGI_MAX_CONNS", holds: "A23, A24", want: "FCGI_MAX_CONNS=10000",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, refuse)
			w.send(protocol.AppendGetValues(nil, protocol.VarMaxConns))
			return strings.Join(management(w), ", ")
		}),
	},
	{
		what: "A management record of an unknown type", holds: "A26", want: "UNKNOWN_TYPE",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, refuse)
			w.send(protocol.AppendRecord(nil, 42, protocol.ManagementID, nil))
			return cmp.Or(strings.Join(management(w), ", "), "no answer")
		}),
	},
	{
		what: "A record of an unknown type with the id of a request: nginx cannot take an answer to it", holds: "A14",
		want: "no answer",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, refuse)
			w.send(open(1), protocol.AppendRecord(nil, 42, 1, nil))
			return cmp.Or(strings.Join(management(w), ", "), "no answer")
		}),
	},
	{
		what: "Reads and writes for a request that is answered `hello`", want: "1 and 1",
		run: inBubble(func(t *testing.T, impl implementation) string {
			near, far := net.Pipe()
			conn := &countingConn{Conn: far}
			impl.serveConn(t, conn, func(w http.ResponseWriter, _ *http.Request) { hello(w) })
			newWeb(t, near).send(get(1))
			return fmt.Sprintf("%d and %d", conn.reads.Load(), conn.writes.Load())
		}),
	},
}

// management lists the management records that came, and the variables that they tell.
func management(w *web) (told []string) {
	for _, r := range w.records() {
		switch {
		case r.RequestID != protocol.ManagementID:
		case r.Type != protocol.TypeGetValuesResult:
			told = append(told, r.Type.String())
		case r.content == "":
			told = append(told, "an empty record")
		default:
			name, value, _, err := protocol.CutPair(r.content)
			if err != nil {
				name = err.Error()
			}
			told = append(told, name+"="+value)
		}
	}
	return told
}

// A countingConn counts the calls that moved bytes.
type countingConn struct {
	net.Conn
	reads, writes atomic.Int32
}

func (c *countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.reads.Add(1)
	}
	return n, err
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}
