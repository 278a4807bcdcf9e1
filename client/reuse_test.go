package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// number answers every request with the number of its connection.
func number(a *fakeapp.Conn) {
	for r := a.Request(); r != nil; r = a.Request() {
		a.Say(r.Answer(strconv.Itoa(a.N)))
	}
}

func TestKeepConn(t *testing.T) { eachMode(t, testKeepConn) }

func testKeepConn(t *testing.T, m mode) {
	for _, tt := range []struct {
		client *client.Client
		want   string // the connection of each request
	}{
		{&client.Client{}, m.either("12345", "11111")},
		{&client.Client{KeepConn: true}, "11111"},
		{&client.Client{KeepConn: true, MaxRequestsPerConn: 1}, "12345"},
		{&client.Client{KeepConn: true, MaxRequestsPerConn: 2}, "11223"},
		{&client.Client{KeepConn: true, MaxRequestsPerConn: -1}, "11111"},
		{&client.Client{KeepConn: true, MaxConns: 1}, "11111"},
		{&client.Client{KeepConn: true, MaxConns: -1}, "11111"},
	} {
		c := m.newClient(t, tt.client, number)
		for _, want := range tt.want {
			expect(t, c, get(), string(want))
		}
	}
}

// The flag says what will happen, so that the application may close, too. A shared connection is always kept: the
// application would close it under the others.
func TestKeepConnFlag(t *testing.T) { eachMode(t, testKeepConnFlag) }

func testKeepConnFlag(t *testing.T, m mode) {
	keeps := func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Answer(strconv.FormatBool(r.Keep)))
		}
	}
	c := m.newClient(t, &client.Client{}, keeps)
	expect(t, c, get(), m.either("false", "true"))
	c = m.newClient(t, &client.Client{KeepConn: true, MaxRequestsPerConn: 2}, keeps)
	expect(t, c, get(), "true")
	expect(t, c, get(), m.either("false", "true"))
}

// endings are the ways of END_REQUEST and what follows it.
var endings = []struct {
	name  string
	end   func(r *fakeapp.Request) []byte
	again bool // the connection may be used again
}{
	{"C8 padded", func(r *fakeapp.Request) []byte {
		r.End(0, complete)
		return fakeapp.Padded(protocol.TypeEndRequest, r.ID, make([]byte, 8), 255)
	}, true},
	{"C8 longer than it should be", func(r *fakeapp.Request) []byte {
		r.End(0, complete)
		return fakeapp.Padded(protocol.TypeEndRequest, r.ID, make([]byte, 100), 5)
	}, true},
	{"C8 alone", func(r *fakeapp.Request) []byte { return r.End(0, complete) }, true},
	{"C13 byte after it", func(r *fakeapp.Request) []byte { return append(r.End(0, complete), 1) }, false},
	{"C13 record after it", func(r *fakeapp.Request) []byte {
		return append(r.End(0, complete), r.Stdout("evil")...)
	}, false},
	{"C13 record after its padding", func(r *fakeapp.Request) []byte {
		r.End(0, complete)
		b := fakeapp.Padded(protocol.TypeEndRequest, r.ID, make([]byte, 8), 8)
		return append(b, (&fakeapp.Request{ID: 3 - r.ID}).Answer("evil")...)
	}, false},
}

func TestEndings(t *testing.T) { eachMode(t, testEndings) }

func testEndings(t *testing.T, m mode) {
	for _, tt := range endings {
		pieces := []int{1 << 20}
		if tt.again {
			// What is not asked for, and late, is TestC13UnsolicitedWhileIdle's.
			pieces = append(pieces, 1, 11)
		}
		for _, piece := range pieces {
			t.Run(fmt.Sprintf("%s in pieces of %d", tt.name, piece), func(t *testing.T) {
				c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
					for r := a.Request(); r != nil; r = a.Request() {
						sayInPieces(a, append(r.Stdout(strconv.Itoa(a.N)), tt.end(r)...), piece)
					}
				})
				expect(t, c, get(), "1")
				if tt.again {
					expect(t, c, get(), "1")
				} else {
					expect(t, c, get(), "2")
				}
			})
		}
	}
}

// C13: an application that speaks on an idle connection loses it.
func TestC13UnsolicitedWhileIdle(t *testing.T) { eachMode(t, testC13UnsolicitedWhileIdle) }

func testC13UnsolicitedWhileIdle(t *testing.T, m mode) {
	for name, spoken := range map[string][]byte{
		"a byte":   {1},
		"a record": (&fakeapp.Request{ID: 2}).Answer("evil"),
		"values":   protocol.AppendGetValues(nil),
		"nothing":  nil, // it closes
	} {
		t.Run(name, func(t *testing.T) {
			gone := make(chan struct{})
			c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
				r := a.Request()
				a.Say(r.Answer(strconv.Itoa(a.N)))
				if a.N > 1 {
					return
				}
				if spoken != nil {
					a.Say(spoken)
					a.AwaitClose()
				}
				close(gone)
			})
			expect(t, c, get(), "1")
			<-gone
			expect(t, c, get(), "2")
		})
	}
}

// C13, F16: what happens to a request that meets a connection which the
// application closes without a byte of answer.
func TestF16Retry(t *testing.T) { eachMode(t, testF16Retry) }

func testF16Retry(t *testing.T, m mode) {
	seekable := func() io.Reader { return strings.NewReader("body") }
	stream := func() io.Reader { return io.LimitReader(strings.NewReader("body"), 4) }
	for _, tt := range []struct {
		name   string
		method string
		body   func() io.Reader
		said   string // before it closes
		again  bool
	}{
		{"GET", "GET", nil, "", true},
		{"HEAD", "HEAD", nil, "", true},
		{"OPTIONS with body", "OPTIONS", seekable, "", true},
		{"GET with a body that cannot be had again", "GET", stream, "", false},
		{"POST", "POST", nil, "", false},
		{"POST with body", "POST", seekable, "", false},
		{"no method", "", nil, "", false},
		// On a shared connection one byte does not say whom it is for.
		{"GET, a byte of answer", "GET", nil, "\x01", m.shares()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var seen atomic.Int32
			c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
				for r := a.Request(); r != nil; r = a.Request() {
					if a.N == 1 && r.ID == 2 {
						a.Say([]byte(tt.said))
						return
					}
					seen.Add(1)
					a.Say(r.Answer(r.Stdin))
				}
			})
			expect(t, c, get(), "")
			req := &client.Request{Params: []client.Pair{{Name: "REQUEST_METHOD", Value: tt.method}}}
			want := ""
			if tt.body != nil {
				req.Stdin, want = tt.body(), "body"
			}
			got, _, err := answer(t, c, req)
			if tt.again && (err != nil || got != want) {
				t.Errorf("answer %q, %v", got, err)
			}
			if !tt.again && (!errors.Is(err, io.ErrUnexpectedEOF) || seen.Load() != 1) {
				t.Errorf("error %v after %d requests, want one that is not repeated", err, seen.Load())
			}
		})
	}
}

// F16: a GET that a new connection fails is repeated once: the application may have been ended for a restart. One that took its
// time may itself be the cause, and a POST may have been done.
func TestF16NewConnections(t *testing.T) { eachMode(t, testF16NewConnections) }

func testF16NewConnections(t *testing.T, m mode) {
	for _, tt := range []struct {
		name  string
		req   *client.Request
		takes time.Duration // until the application closes
		conns int
	}{
		{"GET", get(), 0, 2},
		{"GET, soon", get(), time.Second - 1, 2},
		{"GET, late", get(), time.Second, 1},
		{"POST", post(nil), 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var conns atomic.Int32
				c := m.pipeClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
					conns.Add(1)
					a.Request()
					time.Sleep(tt.takes)
				})
				defer c.Close()
				if _, _, err := answer(t, c, tt.req); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("error %v", err)
				}
				if n := conns.Load(); n != int32(tt.conns) {
					t.Errorf("%d connections, want %d", n, tt.conns)
				}
			})
		})
	}
}

// F16: a POST that no application can have seen is safe to send again.
func TestF16NothingDelivered(t *testing.T) { eachMode(t, testF16NothingDelivered) }

func testF16NothingDelivered(t *testing.T, m mode) {
	var dials int
	c := &client.Client{Multiplex: m.multiplex, KeepConn: true}
	c.Dial = func(context.Context) (net.Conn, error) {
		dials++
		here, there := net.Pipe()
		go fakeapp.Run(t, there, dials, number)
		return &deafConn{Conn: here, deaf: dials == 1}, nil
	}
	defer c.Close()
	expect(t, c, post(nil), "1")
	expect(t, c, post(strings.NewReader("body")), "2")
}

// A deafConn, if deaf, fails the second Write, as a socket whose peer has closed
// does, and says nothing any more.
type deafConn struct {
	net.Conn
	deaf   bool
	writes int
}

func (c *deafConn) Write(p []byte) (int, error) {
	if c.writes++; c.deaf && c.writes > 1 {
		c.Close()
		return 0, errors.New("broken pipe")
	}
	return c.Conn.Write(p)
}

// C14: there are never more than MaxConns connections, and requests wait for
// their turn.
func TestC14MaxConns(t *testing.T) { eachMode(t, testC14MaxConns) }

func testC14MaxConns(t *testing.T, m mode) {
	for _, keep := range []bool{false, true} {
		const limit = 3
		var open, most atomic.Int32
		c := m.newClient(t, &client.Client{KeepConn: keep, MaxConns: limit, MaxIdle: 1}, func(a *fakeapp.Conn) {
			for r := a.Request(); r != nil; r = a.Request() {
				n := open.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				time.Sleep(time.Millisecond)
				open.Add(-1)
				a.Say(r.Answer("ok"))
			}
		})
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				if got, _, err := answer(t, c, get()); got != "ok" || err != nil {
					t.Errorf("answer %q, %v", got, err)
				}
			})
		}
		wg.Wait()
		if n := most.Load(); n > limit {
			t.Errorf("keep %v: %d requests at once", keep, n)
		}
	}
}

// pipeClient is a client of an application that follows script, for bubbles of
// synctest, which know pipes but not sockets.
func pipeClient(t *testing.T, c *client.Client, script func(*fakeapp.Conn)) *client.Client {
	var n atomic.Int32
	var scripts sync.WaitGroup
	t.Cleanup(scripts.Wait)
	c.Dial = func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		scripts.Go(func() { fakeapp.Run(t, there, int(n.Add(1)), script) })
		return here, nil
	}
	return c
}

func TestIdleTimeout(t *testing.T) { eachMode(t, testIdleTimeout) }

func testIdleTimeout(t *testing.T, m mode) {
	for _, tt := range []struct {
		timeout, pause time.Duration
		want           string
	}{
		{0, client.DefaultIdleTimeout - 1, "1"},
		{0, client.DefaultIdleTimeout + 1, "2"},
		{time.Second, time.Second - 1, "1"},
		{time.Second, time.Second + 1, "2"},
		{-1, 1000 * time.Hour, "1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := m.pipeClient(t, &client.Client{KeepConn: true, IdleTimeout: tt.timeout}, number)
			defer c.Close()
			expect(t, c, get(), "1")
			time.Sleep(tt.pause)
			synctest.Wait()
			expect(t, c, get(), tt.want)
		})
	}
}

func TestMaxIdle(t *testing.T) { eachMode(t, testMaxIdle) }

func testMaxIdle(t *testing.T, m mode) {
	for _, tt := range []struct{ maxIdle, requests, kept int }{
		{0, client.DefaultMaxIdle - 1, client.DefaultMaxIdle - 1},
		{0, client.DefaultMaxIdle, client.DefaultMaxIdle},
		{0, client.DefaultMaxIdle + 1, client.DefaultMaxIdle},
		{4, 5, 4},
		{-1, 20, 20},
	} {
		synctest.Test(t, func(t *testing.T) {
			var kept atomic.Int32
			arrived := make(chan struct{})
			c := m.pipeClient(t, &client.Client{KeepConn: true, MaxIdle: tt.maxIdle, MaxActivePerConn: 1}, func(a *fakeapp.Conn) {
				kept.Add(1)
				r := a.Request()
				<-arrived
				a.Say(r.Answer("ok"))
				a.AwaitClose()
				kept.Add(-1)
			})
			for range tt.requests {
				go func() {
					if got, _, err := answer(t, c, get()); got != "ok" || err != nil {
						t.Errorf("answer %q, %v", got, err)
					}
				}()
			}
			synctest.Wait()
			close(arrived)
			synctest.Wait()
			if n := int(kept.Load()); n != tt.kept {
				t.Errorf("%d idle after %d requests, want %d", n, tt.requests, tt.kept)
			}
			c.CloseIdle()
			synctest.Wait()
			if n := kept.Load(); n != 0 {
				t.Errorf("%d idle after CloseIdle", n)
			}
		})
	}
}

// A response whose connection does not settle is complete all the same. On a shared connection there is nothing to wait for:
// ids keep apart what belongs to which request.
func TestSettleTimeout(t *testing.T) { eachMode(t, testSettleTimeout) }

func testSettleTimeout(t *testing.T, m mode) {
	unpadded := func(r *fakeapp.Request) []byte {
		b := fakeapp.Padded(protocol.TypeEndRequest, r.ID, make([]byte, 8), 8)
		return b[:len(b)-1]
	}
	for name, script := range map[string]func(*fakeapp.Conn){
		"padding does not come": func(a *fakeapp.Conn) {
			r := a.Request()
			a.Say(r.Stdout("ok"), unpadded(r))
			a.AwaitClose()
		},
		"STDIN is not taken": func(a *fakeapp.Conn) {
			a.Read(make([]byte, 30))
			r := &fakeapp.Request{ID: 1}
			a.Say(r.Stdout("ok"), r.End(0, complete))
			time.Sleep(time.Minute)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := m.pipeClient(t, &client.Client{KeepConn: true}, script)
				defer c.Close()
				start := time.Now()
				expect(t, c, get(), "ok")
				want := time.Second
				if m.shares() {
					want = 0
				}
				if d := time.Since(start); d != want {
					t.Errorf("settled after %v, want %v", d, want)
				}
			})
		})
	}
}
