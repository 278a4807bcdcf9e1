package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A limit is a deadline of a server and what it is by default.
type limit struct {
	set  func(*fastcgi.Server, time.Duration)
	by   time.Duration // default
	what string
}

// atLimit runs a test at a nanosecond before a deadline, at it, and after it, by default and as set, and a day later
// where there is none. The test is told whether the deadline will have passed when it has slept for wait.
func atLimit(t *testing.T, l limit, test func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool)) {
	for _, set := range []time.Duration{0, time.Second, -1} {
		for _, off := range []time.Duration{-1, 0, 1} {
			name := l.what + "=" + set.String() + "/" + off.String()
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := &fastcgi.Server{}
					l.set(srv, set)
					switch {
					case set < 0:
						test(t, srv, 24*time.Hour, false)
					case set == 0:
						test(t, srv, l.by+off, off >= 0)
					default:
						test(t, srv, set+off, off >= 0)
					}
				})
			})
		}
	}
}

// sleep lets time pass, and whatever is due then happen.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// F2: a connection that says nothing is closed after FirstByteTimeout.
func TestF2FirstByteTimeout(t *testing.T) {
	firstByte := limit{func(s *fastcgi.Server, d time.Duration) { s.FirstByteTimeout = d }, 5 * time.Second, "FirstByteTimeout"}
	atLimit(t, firstByte, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
		srv.Handler = hello
		a := inBubble.serve(t, srv)
		w := a.dial(t)
		sleep(wait)
		if !passed {
			w.ask(1).expect(t, "hello")
			return
		}
		w.expectEOF()
		a.log.expect(t, "FirstByteTimeout")
	})
}

var paramsTimeout = limit{func(s *fastcgi.Server, d time.Duration) { s.ParamsTimeout = d }, 10 * time.Second, "ParamsTimeout"}

// F1: a request whose parameters take longer than ParamsTimeout is answered 408, and its connection closed.
func TestF1ParamsTimeout(t *testing.T) {
	atLimit(t, paramsTimeout, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
		srv.Handler = hello
		a := inBubble.serve(t, srv)
		w := a.dial(t)
		w.send(begin(1, fastcgi.RoleResponder, true), params(1, "A", "1"))
		sleep(wait)
		if !passed {
			w.send(paramsEnd(1), stdinEnd(1))
			w.answer(1).expect(t, "hello")
			w.ask(2).expect(t, "hello")
			return
		}
		w.answer(1).expectStatus(t, 408)
		a.log.expect(t, "ParamsTimeout", "request=1")
		w.expectEOF()
	})
}

// F1: so is a connection with a record that does not come to its end, and no request.
func TestF1IncompleteRecord(t *testing.T) {
	for name, sent := range map[string][]byte{
		"header":       begin(1, fastcgi.RoleResponder, true)[:5],
		"BEGIN":        begin(1, fastcgi.RoleResponder, true)[:12],
		"inactive id":  stdin(7, "body")[:10],
		"unknown type": protocol.AppendRecord(nil, 99, 0, []byte("what"))[:10],
	} {
		t.Run(name, func(t *testing.T) {
			atLimit(t, paramsTimeout, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
				srv.Handler, srv.IdleTimeout = hello, -1
				a := inBubble.serve(t, srv)
				w := a.dial(t)
				w.send(sent)
				sleep(wait)
				if open := a.Stats().OpenConns == 1; open == passed {
					t.Errorf("open: %v", open)
				}
				if passed {
					a.log.expect(t, "ParamsTimeout")
				}
			})
		})
	}
}

// F1: a byte now and then changes nothing, for a thousand connections at once, and others are served meanwhile.
func TestF1SlowLoris(t *testing.T) {
	conns := 1000
	if raceEnabled {
		// It does not stand tens of thousands of timers in one bubble, and crashes; `make allocations` has them all.
		conns = 100
	}
	synctest.Test(t, func(t *testing.T) {
		a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
		var slow []net.Conn
		for range conns {
			conn, err := a.connect()
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			slow = append(slow, conn)
			go io.Copy(io.Discard, conn)
		}
		good := a.dial(t)
		request := get(1, true, "A", strings.Repeat("x", 100))
		for i := range 25 {
			for _, conn := range slow {
				conn.Write(request[i : i+1]) // until it is closed
			}
			good.ask(1).expect(t, "hello")
			sleep(time.Second)
		}
		if n := a.Stats().OpenConns; n != 1 {
			t.Errorf("%d connections are open, want the good one", n)
		}
	})
}

// F1: on a shared connection only the late request ends.
func TestF1ParamsTimeoutSparesSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 2)
		w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(get(1, true), begin(2, fastcgi.RoleResponder, true))
		first := <-requests
		sleep(9 * time.Second)
		w.send(begin(3, fastcgi.RoleResponder, true))
		sleep(time.Second)
		w.answer(2).expectStatus(t, 408)
		w.send(paramsEnd(3))
		third := <-requests
		sleep(time.Hour)
		for _, h := range []*held{first, third} {
			if h.r.Aborted() {
				t.Errorf("request %d was cancelled", h.r.ID)
			}
			h.finish()
			w.answer(h.r.ID).expectUnanswered(t)
		}
	})
}

var idleTimeout = limit{func(s *fastcgi.Server, d time.Duration) { s.IdleTimeout = d }, 60 * time.Second, "IdleTimeout"}

// F2: a kept connection is closed after IdleTimeout.
func TestF2IdleTimeout(t *testing.T) {
	atLimit(t, idleTimeout, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
		srv.Handler = hello
		a := inBubble.serve(t, srv)
		w := a.dial(t)
		w.ask(1)
		w.ask(2)
		synctest.Wait()
		sleep(wait)
		if !passed {
			w.ask(3).expect(t, "hello")
			return
		}
		w.expectEOF()
	})
}

// A connection on which a request is at work is not idle, however long it takes.
func TestActiveIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(start(1, true))
		h := <-requests
		sleep(24 * time.Hour)
		w.send(stdinEnd(1))
		h.finish()
		w.answer(1).expectUnanswered(t)
		sleep(59 * time.Second)
		w.send(get(1, true))
		(<-requests).finish()
		w.answer(1).expectUnanswered(t)
	})
}

// Nor is one whose last answer is still on its way to a web server that takes it slowly.
func TestSendingIsNotIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := strings.Repeat("x", 200000)
		w := inBubble.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			io.WriteString(ex, text)
			ex.Finish(0)
		})}).dial(t)
		w.send(get(1, true), begin(2, 1, true)[:4]) // idle, and with an incomplete record
		w.Conn = slowConn{w.Conn}
		w.answer(1).expect(t, text)
	})
}

// A slowConn takes 2 KiB a second.
type slowConn struct{ net.Conn }

func (c slowConn) Read(p []byte) (int, error) {
	time.Sleep(time.Second)
	return c.Conn.Read(p[:min(len(p), 2048)])
}

// The rest of a body that was answered before it was read may take its time, however its records are cut into pieces.
func TestF7LongBodyOfAnsweredRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inBubble.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		w.send(start(1, true))
		w.answer(1).expect(t, "hello")
		body := slices.Concat(stdin(1, strings.Repeat("x", 2<<20)), stdinEnd(1))
		head, rest := body[:5], body[5:] // so that no piece ends where a record does
		w.send(head)
		for piece := range slices.Chunk(rest, 20000) {
			sleep(time.Second)
			w.send(piece)
		}
		w.ask(1).expect(t, "hello")
	})
}

// F5: a web server that takes nothing for WriteTimeout is given up, and whoever writes to it learns why.
func TestF5WriteTimeout(t *testing.T) {
	write := limit{func(s *fastcgi.Server, d time.Duration) { s.WriteTimeout = d }, 60 * time.Second, "WriteTimeout"}
	atLimit(t, write, func(t *testing.T, srv *fastcgi.Server, wait time.Duration, passed bool) {
		requests := make(chan *held, 1)
		srv.Handler = holding(requests)
		a := inBubble.serve(t, srv)
		w := a.dial(t)
		w.send(get(1, true))
		h := <-requests
		written := make(chan error, 1)
		go func() { written <- writeForEver(h.w) }()
		synctest.Wait()
		sleep(wait)
		if h.r.Aborted() != passed {
			t.Errorf("aborted: %v", h.r.Aborted())
		}
		if passed {
			if err := <-written; !errors.Is(err, os.ErrDeadlineExceeded) || !errors.Is(err, fastcgi.ErrDisconnected) {
				t.Errorf("Write returned %v", err)
			}
			if cause := context.Cause(h.r.Context()); !errors.Is(cause, fastcgi.ErrDisconnected) {
				t.Errorf("the cause is %v", cause)
			}
			a.log.expect(t, "cannot send", "timeout")
		} else {
			w.Close()
			<-written
		}
		h.finish()
	})
}

// A web server that was slow once is not cut off when it is not any more.
func TestWriteTimeoutIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if took := outlivesWriteTimeout(t, inBubble, time.Minute); took > 0 {
			t.Errorf("a write took %v", took)
		}
	})
	onUnix(t, func(t *testing.T, p place) {
		// On a busy machine a write may come to a halt for longer than a short timeout, and rightly fail.
		for timeout := 50 * time.Millisecond; outlivesWriteTimeout(t, p, timeout) > timeout/2; timeout *= 2 {
			if timeout > patience {
				t.Fatal("this machine is too busy")
			}
		}
	})
}

// outlivesWriteTimeout has a request write, and write again when the first write's time would be over. It returns for how
// long at most there was no progress, and fails the test only if that was much less than the timeout.
func outlivesWriteTimeout(t *testing.T, p place, timeout time.Duration) (halt time.Duration) {
	requests := make(chan *held, 1)
	w := p.serve(t, &fastcgi.Server{Handler: holding(requests), WriteTimeout: timeout}).dial(t)
	defer w.Close()
	w.send(get(1, true))
	h := receive(t, requests)
	defer h.finish()
	text := strings.Repeat("x", 2<<20)
	written := make(chan struct{})
	go func() {
		defer close(written)
		io.WriteString(h.w, text)
		h.w.Flush()
	}()
	defer func() { <-written }()
	received := func(n int) bool {
		for w.open[1].stdout.Len() < n {
			before := time.Now()
			err := w.read()
			halt = max(halt, time.Since(before))
			if err != nil {
				if halt <= timeout/2 {
					t.Error(err)
				}
				return false
			}
		}
		return true
	}
	if !received(len(text)) {
		return halt
	}
	<-written
	time.Sleep(2 * timeout)
	io.WriteString(h.w, "later")
	h.w.Flush()
	received(len(text) + len("later"))
	return halt
}

// A29: a connection that was answered before all input had come waits for the rest 5 s, and 30 s in all.
func TestA29Linger(t *testing.T) {
	for _, test := range []struct {
		name  string
		sends bool
		open  time.Duration
	}{
		{"silent", false, 5 * time.Second},
		{"sending", true, 30 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
				w := a.dial(t)
				w.send(start(1, false))
				w.answer(1).expect(t, "hello")
				synctest.Wait()
				go func() {
					for test.sends {
						time.Sleep(4 * time.Second)
						if _, err := w.Write(stdin(1, "more")); err != nil {
							return
						}
					}
				}()
				sleep(test.open - 1)
				if a.Stats().OpenConns != 1 {
					t.Error("the connection was closed early")
				}
				sleep(1)
				if a.Stats().OpenConns != 0 {
					t.Error("the connection is still open")
				}
				sleep(time.Minute) // so that the sender notices
			})
		})
	}
}

// Every driver keeps the deadlines, by the clock on the wall.
func TestDeadlinesOnSockets(t *testing.T) {
	const soon = 30 * time.Millisecond
	for _, test := range []struct {
		name string
		srv  func() *fastcgi.Server
		sent []byte
	}{
		{"first byte", func() *fastcgi.Server { return &fastcgi.Server{FirstByteTimeout: soon} }, nil},
		{"parameters", func() *fastcgi.Server { return &fastcgi.Server{ParamsTimeout: soon} }, begin(1, 1, true)},
		{"record", func() *fastcgi.Server { return &fastcgi.Server{ParamsTimeout: soon} }, begin(1, 1, true)[:9]},
		{"idle", func() *fastcgi.Server { return &fastcgi.Server{IdleTimeout: soon} }, get(1, true)},
		{"write", func() *fastcgi.Server { return &fastcgi.Server{WriteTimeout: soon} }, get(1, true, "BIG", "1")},
	} {
		t.Run(test.name, func(t *testing.T) {
			onSockets(t, func(t *testing.T, p place) {
				srv := test.srv()
				srv.Handler = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
					if r.Params.Get("BIG") != "" {
						writeForEver(w)
					}
				})
				a := p.serve(t, srv)
				w := a.dial(t)
				w.send(test.sent)
				eventually(t, "the connection was open", func() bool { return a.Stats().Conns == 1 })
				if test.name == "parameters" {
					w.answer(1).expectStatus(t, 408)
					w.expectEOF()
					w.Close()
				}
				eventually(t, "it is closed", func() bool { s := a.Stats(); return s.OpenConns+s.ActiveRequests == 0 })
			})
		})
	}
}
