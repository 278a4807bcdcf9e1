package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

func TestMain(m *testing.M) { front.Main(m, main) }

const (
	listeners = 5000
	lines     = 50
	slow      = lines - 1 // the line that nobody reads for a while
	head      = "Status: 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nX-Accel-Buffering: no\r\n\r\n"
)

func param(name, value string) fastcgi.Pair { return fastcgi.Pair{Name: name, Value: value} }

// Five thousand listen, a hundred of them on a connection that is not read. The others get every event at once, in order,
// and nobody has a goroutine. Those hundred hear of what they missed when they go on.
func TestFiveThousandListeners(t *testing.T) {
	for _, driver := range []fastcgi.Driver{fastcgi.DriverAuto, fastcgi.DriverGoroutine} {
		t.Run(string(driver), func(t *testing.T) {
			srv := newServer("")
			srv.Driver = driver
			f := front.Serve(t, srv)
			before := runtime.NumGoroutine()
			shared, listening := listen(t, f)
			// One reads each line; the driver may have some for each connection.
			if n := runtime.NumGoroutine() - before; n > 4*lines {
				t.Errorf("%d goroutines for %d listeners", n, listeners)
			}
			shared[slow].Hold()
			poster := f.Share(t)
			want := head
			event := func(text string) {
				want += "data: " + text + "\n\n"
				if got := post(t, poster, text); !strings.HasPrefix(got, "Status: 204 ") {
					t.Fatalf("a post is answered with %q", got)
				}
			}
			event("to all")
			expect(t, listening[:slow], want)

			// Most leave: large events are for the others.
			const stay = 4 // of a line
			for i := range slow {
				for _, v := range listening[i][stay:] {
					v.Abort(t)
				}
				expect(t, [][]*front.Visitor{listening[i][stay:]}, want)
				listening[i] = listening[i][:stay]
			}
			awaitActive(srv, slow*stay+listeners/lines)
			const large = 8 // of 12 KiB are more than the 64 KiB that wait for each
			for i := range large {
				event(fmt.Sprint(i, strings.Repeat("-", 12<<10)))
				expect(t, listening[:slow], want)
			}
			shared[slow].Resume()
			for _, v := range listening[slow] {
				v.Await(t, "event: missed\n")
			}
			all := want
			event("to all again")
			for _, v := range listening[slow] {
				got := withoutComments(v.Await(t, "data: to all again\n\n"))
				events := strings.Count(got, "data: ") - 2
				end := fmt.Sprintf("event: missed\ndata: %d\n\ndata: to all again\n\n", 1+large-events)
				if before, ok := strings.CutSuffix(got, end); !ok || !strings.HasPrefix(all, before) || events == 0 || events > large {
					t.Fatalf("of %d events came %d, and in the end %q", 1+large, events, got[max(0, len(got)-100):])
				}
			}
		})
	}
}

// listen has listeners on each of the lines, who have the head of their answer.
func listen(t *testing.T, f *front.Front) (shared []*front.Line, listening [][]*front.Visitor) {
	t.Helper()
	for i := range lines {
		shared = append(shared, f.Share(t))
		listening = append(listening, nil)
		for range listeners / lines {
			listening[i] = append(listening[i], shared[i].Begin(t, "", param("REQUEST_METHOD", "GET")))
		}
	}
	expect(t, listening, head)
	return shared, listening
}

// expect waits until all have got the text, and nothing else.
func expect(t *testing.T, listening [][]*front.Visitor, want string) {
	t.Helper()
	last := want[max(0, strings.LastIndex(want, "data: ")):]
	for _, on := range listening {
		for _, v := range on {
			if got := withoutComments(v.Await(t, last)); got != want {
				t.Fatalf("a listener got %.300q", got)
			}
		}
	}
}

// withoutComments leaves out what a slow machine makes the hub send.
func withoutComments(stream string) string { return strings.ReplaceAll(stream, "\n:\n\n", "\n") }

// awaitActive waits until so many requests are.
func awaitActive(srv *fastcgi.Server, n int) {
	for srv.Stats().ActiveRequests != n {
		time.Sleep(time.Millisecond)
	}
}

// post makes a text an event, and returns the answer.
func post(t *testing.T, l *front.Line, text string) string {
	t.Helper()
	return l.Begin(t, text, param("REQUEST_METHOD", "POST"), param("CONTENT_LENGTH", fmt.Sprint(len(text)))).AwaitEnd(t)
}

// follow listens in a bubble of synctest.
func follow(t *testing.T, srv *fastcgi.Server) (*fastcgitest.Call, *bufio.Reader) {
	t.Helper()
	call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	events := bufio.NewReader(call)
	wantNext(t, events, head)
	return call, events
}

// wantNext reads so much of the answer.
func wantNext(t *testing.T, events io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(events, got); err != nil || string(got) != want {
		t.Errorf("there is %.100q, %v, not %.100q", got, err, want)
	}
}

// Whatever ends a line, what a visitor posts is data.
func TestLinesAreData(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer("")
		_, events := follow(t, srv)
		for text, want := range map[string]string{
			"":                         "data: \n\n",
			"a\nevent: b\n":            "data: a\ndata: event: b\ndata: \n\n",
			"a\revent: b\r\nid: 1\n\r": "data: a\ndata: event: b\ndata: id: 1\ndata: \ndata: \n\n",
		} {
			if _, err := fastcgitest.Do(t.Context(), srv, fastcgitest.NewRequest("POST", "/", strings.NewReader(text))); err != nil {
				t.Fatal(err)
			}
			wantNext(t, events, want)
		}
	})
}

func TestLargestEvent(t *testing.T) {
	for size, code := range map[int]int{16<<10 - 1: 204, 16 << 10: 204, 16<<10 + 1: 413} {
		synctest.Test(t, func(t *testing.T) {
			resp, err := fastcgitest.Do(t.Context(), newServer(""), fastcgitest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", size))))
			if err != nil || resp.StatusCode != code {
				t.Errorf("%d bytes are answered with %d, %v", size, resp.StatusCode, err)
			}
		})
	}
}

// A stream without events has a comment now and then, so that no web server gives it up.
func TestQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const quiet = 20 * time.Second
		srv := newServer("")
		_, events := follow(t, srv)
		for range 3 {
			start := time.Now()
			wantNext(t, events, ":\n\n")
			if since := time.Since(start); since < quiet || since > quiet+time.Second {
				t.Errorf("there is a comment after %v", since)
			}
		}
	})
}

// A shutdown ends the stream (W19): browsers connect anew by themselves, to the next process.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer("")
		call, _ := follow(t, srv)
		ended := make(chan error)
		go func() {
			_, err := call.Wait()
			ended <- err
		}()
		start := time.Now()
		if err := srv.Shutdown(context.WithoutCancel(t.Context())); err != nil {
			t.Fatal(err)
		}
		if err, took := <-ended, time.Since(start); err != nil || took > time.Second {
			t.Errorf("the stream ended with %v, after %v", err, took)
		}
	})
}

func TestProgram(t *testing.T) {
	p := front.Start(t)
	listener := p.Share(t).Begin(t, "", param("REQUEST_METHOD", "GET"))
	listener.Await(t, head)
	post(t, p.Share(t), "hello")
	listener.Await(t, "data: hello\n\n")
	p.Stop(t) // also with somebody who listens
}

// Who has missed events gets no other before being told, though there may be room.
func TestMissedEventsAreToldOfFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newServer("")
		h := srv.AsyncHandler.(*hub)
		call, events := follow(t, srv)
		var all []string
		say := func(size int) {
			text := fmt.Sprint(len(all), strings.Repeat("-", size))
			all = append(all, "data: "+text+"\n\n")
			if _, err := fastcgitest.Do(t.Context(), srv, fastcgitest.NewRequest("POST", "/", strings.NewReader(text))); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		for range 12 {
			say(12 << 10)
		}
		missed := 0
		for _, n := range h.missed {
			missed = n
		}
		// An event, and behind it the news that there is room.
		busy := make(chan struct{})
		h.post(func() { <-busy })
		say(0)
		wantNext(t, events, strings.Join(all[:12-missed], ""))
		synctest.Wait()
		close(busy)
		wantNext(t, events, fmt.Sprintf("event: missed\ndata: %d\n\n", missed+1))
		say(0)
		wantNext(t, events, all[len(all)-1])
		call.Disconnect()
	})
}
