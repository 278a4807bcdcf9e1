package fcgi_test

import (
	"bytes"
	"cmp"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var processDefects = []difference{
	{
		what: "A handler panics", holds: "F4", want: "status 500, appStatus 2; the next request: status 200",
		run: func(t *testing.T, impl implementation) string {
			return afterwards(impl.spawn(t, thisProgram(t)), get(1, "REQUEST_URI", "/panic"))
		},
	},
	{
		what:  "A handler panics with `http.ErrAbortHandler`, as `httputil.ReverseProxy` does to cut a response short",
		holds: "F4", want: "status 500, appStatus 1; the next request: status 200",
		run: func(t *testing.T, impl implementation) string {
			return afterwards(impl.spawn(t, thisProgram(t)), get(1, "REQUEST_URI", "/abort"))
		},
	},
	{
		what: "A handler calls `runtime.Goexit`", holds: "W9", want: "status 500, appStatus 2",
		run: inBubble(func(t *testing.T, impl implementation) string {
			w := impl.start(t, func(http.ResponseWriter, *http.Request) { runtime.Goexit() })
			w.send(get(1))
			time.Sleep(time.Hour)
			return cmp.Or(describe(w.answer(1)), "no answer, ever")
		}),
	},
	{
		what: "A parameter announces two lengths of 2³¹−1, on a processor of 32 bits", holds: "A21", issue: 81293,
		want: "status 431, appStatus 1; the next request: status 200",
		run: func(t *testing.T, impl implementation) string {
			lengths := stream(protocol.TypeParams, 1, "\xff\xff\xff\xff\xff\xff\xff\xff", "")
			return afterwards(impl.spawn(t, program32(t)), begin(1, protocol.RoleResponder, keep), lengths)
		},
	},
	{
		what: "No file descriptor is left for a connection, for a moment", holds: "F10", want: "the next request: status 200",
		run: inBubble(func(t *testing.T, impl implementation) string {
			near, far := net.Pipe()
			served := make(chan error, 1)
			l := &exhausted{listener: newListener(far)}
			go func() {
				served <- impl.serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
			}()
			defer l.Close()
			w := newWeb(t, near)
			time.Sleep(time.Second)
			if len(served) > 0 {
				far.Close()
				return "`Serve` returns"
			}
			w.send(get(1))
			return "the next request: " + describe(w.answer(1))
		}),
	},
	{
		what: "Started by systemd, with a socket in `LISTEN_FDS`", holds: "A44", want: "status 200",
		run: func(t *testing.T, impl implementation) string {
			c := impl.activate(t)
			if got := c.ask(get(1)); got != cutOff {
				return got
			}
			return c.fate()
		},
	},
	{
		what: "Started by hand, without a socket", holds: "A44", issue: 32826,
		want: "fastcgi: fd 0 is not a listening socket (it is a terminal, /dev/null or another device): start this through a web server, `fcgi serve`, or give an address",
		run:  func(t *testing.T, impl implementation) string { return complaint(t, impl) },
	},
	{
		what: "Started by a shell that stays, to which systemd has passed the socket", holds: "W24",
		want: "the error names LISTEN_PID, and `exec`",
		run: func(t *testing.T, impl implementation) string {
			said := complaint(t, impl, "LISTEN_FDS=1", "LISTEN_PID=1")
			if strings.Contains(said, `process "1" (LISTEN_PID)`) && strings.Contains(said, "exec ./app") {
				return "the error names LISTEN_PID, and `exec`"
			}
			return said
		},
	},
	{
		what: "Started as a plain CGI program, for instance by fcgiwrap", holds: "A44", issue: 32826,
		want: "fastcgi: fd 0 is not a listening socket and GATEWAY_INTERFACE is set: this is a plain CGI request",
		run:  func(t *testing.T, impl implementation) string { return complaint(t, impl, "GATEWAY_INTERFACE=CGI/1.1") },
	},
	{
		what: "`FCGI_WEB_SERVER_ADDRS` does not list who connects", holds: "A46", want: "connection closed",
		run: func(t *testing.T, impl implementation) string {
			return impl.spawn(t, thisProgram(t), "FCGI_WEB_SERVER_ADDRS=192.0.2.1").ask(get(1))
		},
	},
}

// afterwards says what comes of a request, and of one after it.
func afterwards(c child, records ...[]byte) string {
	got := c.ask(records...)
	if got == cutOff {
		return c.fate()
	}
	return got + "; the next request: " + c.ask(get(1))
}

// complaint returns what an application says that has no socket.
func complaint(t *testing.T, impl implementation, env ...string) string {
	cmd := impl.command(thisProgram(t), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil {
		t.Error("it exits with status 0")
	}
	return strings.TrimSpace(stderr.String())
}

// An exhausted listener has no descriptor at first.
type exhausted struct {
	*listener
	again bool
}

func (l *exhausted) Accept() (net.Conn, error) {
	if l.again {
		return l.listener.Accept()
	}
	l.again = true
	return nil, &net.OpError{Op: "accept", Net: "unix", Addr: l.Addr(), Err: os.NewSyscallError("accept4", syscall.EMFILE)}
}
