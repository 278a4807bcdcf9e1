//go:build linux

package fastcgi_test

import (
	"errors"
	"net"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// F6: what a handler writes on the loop goes out as fast as the web server takes it, but other connections have their turns
// meanwhile.
func TestF6LoopTurnsOfOutput(t *testing.T) {
	const start, bound, end = 10, 64, 5000 // in pieces of 64 KiB
	pieces := 0                            // all of this happens on the one loop
	served := make(chan int, 1)
	webs := make(chan *web, 2)
	var w, other *web
	var pour func(ex fastcgi.Exchange)
	pour = func(ex fastcgi.Exchange) {
		for piece := make([]byte, 64<<10); pieces < end; pieces++ {
			if pieces == start {
				other.Write(get(1, true))
			}
			if _, err := ex.Write(piece); errors.Is(err, fastcgi.ErrFull) {
				ex.OnDrain(func() { pour(ex) })
				return
			}
			readAway(t, w.Conn)
		}
		ex.Finish(0)
	}
	a := onOneLoop(t).serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		if ex.Params().Get("POUR") != "" {
			w, other = <-webs, <-webs
			pour(ex)
			return
		}
		served <- pieces
		ex.Finish(0)
	})})
	pouring, asking := a.dial(t), a.dial(t)
	asking.ask(1)
	receive(t, served)
	webs <- pouring
	webs <- asking
	pouring.Write(get(1, true, "POUR", "1"))
	if at := receive(t, served); at > start+bound {
		t.Errorf("a request that came at piece %d was begun at piece %d", start, at)
	}
}

// readAway reads what is there.
func readAway(t *testing.T, conn net.Conn) {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		t.Error(err)
		return
	}
	buf := make([]byte, 256<<10)
	raw.Control(func(fd uintptr) {
		for n := 1; n > 0; {
			n, _ = syscall.Read(int(fd), buf)
		}
	})
}
