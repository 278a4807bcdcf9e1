package fastcgi_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// manage sends a management record and returns the answer as "type content".
func (w *web) manage(record []byte) string {
	w.t.Helper()
	w.send(record)
	for len(w.management) == 0 {
		if err := w.read(); err != nil {
			w.t.Fatalf("waiting for an answer: %v", err)
		}
	}
	answer := w.management[0]
	w.management = w.management[1:]
	return answer
}

func question(names ...string) []byte { return protocol.AppendGetValues(nil, names...) }

func result(pairs ...string) string { return "10 " + string(block(pairs...)) }

// A23, A24: GET_VALUES is answered with what the settings say, each name once, and unknown names left out.
func TestA23A24GetValues(t *testing.T) {
	const conns, reqs, mpxs = protocol.VarMaxConns, protocol.VarMaxReqs, protocol.VarMpxsConns
	for _, test := range []struct {
		name string
		srv  *fastcgi.Server
		ask  []string
		want string
	}{
		{"defaults", &fastcgi.Server{}, []string{conns, reqs, mpxs}, result(conns, "10000", reqs, "100", mpxs, "1")},
		{
			"settings", &fastcgi.Server{MaxConns: 5, MaxConcurrency: 3, MaxRequestsPerConn: 1},
			[]string{mpxs, conns, reqs},
			result(conns, "5", reqs, "3", mpxs, "0"),
		},
		{"few at once", &fastcgi.Server{MaxConcurrency: 99}, []string{reqs}, result(reqs, "99")},
		{"few on a connection", &fastcgi.Server{MaxConcurrency: 8, MaxRequestsPerConn: 7}, []string{reqs}, result(reqs, "7")},
		{"few connections", &fastcgi.Server{MaxConns: 5}, []string{reqs}, result(reqs, "5")},
		{"no limit", &fastcgi.Server{MaxConns: -1}, []string{conns, reqs, mpxs}, result(reqs, "100", mpxs, "1")},
		{"no limit, no multiplexing", &fastcgi.Server{MaxConns: -1, MaxRequestsPerConn: 1}, []string{conns, reqs, mpxs}, result(mpxs, "0")},
		{"unknown names", &fastcgi.Server{}, []string{"FCGI_NONE", mpxs, "", mpxs}, result(mpxs, "1")},
		{"nothing", &fastcgi.Server{}, nil, result()},
		{"4,000 times", &fastcgi.Server{}, slices.Repeat([]string{mpxs}, 3500), result(mpxs, "1")},
		{
			"own", &fastcgi.Server{Values: map[string]func() string{"VERSION": func() string { return "1.2" }, "A": func() string { return "" }}},
			[]string{mpxs, "VERSION", "A"},
			result(mpxs, "1", "A", "", "VERSION", "1.2"),
		},
		{
			"panicking", &fastcgi.Server{Values: map[string]func() string{"BAD": func() string { panic(errTest) }}},
			[]string{mpxs, "BAD"},
			result(mpxs, "1", "BAD", ""),
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.srv.Handler = hello
			a := inBubble.serve(t, test.srv)
			w := a.dial(t)
			if got := w.manage(question(test.ask...)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
			w.ask(1).expect(t, "hello")
		})
	}
}

// A26: a management record of an unknown type is answered UNKNOWN_TYPE.
func TestA26UnknownType(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		for _, unknown := range []byte{0, 12, 200, 255} {
			want := "11 " + string([]byte{unknown, 0, 0, 0, 0, 0, 0, 0})
			if got := w.manage(protocol.AppendRecord(nil, protocol.RecordType(unknown), 0, []byte("whatever"))); got != want {
				t.Errorf("type %d: got %q", unknown, got)
			}
		}
		w.ask(1).expect(t, "hello")
	})
}

// A25, F19: the library answers GET_VALUES at any time, also while every handler is blocked and others wait for them.
func TestA25F19AnyTime(t *testing.T) {
	for _, test := range []struct {
		name string
		set  func(*fastcgi.Server, chan *held)
	}{
		{"sync", func(s *fastcgi.Server, r chan *held) { s.Handler = holding(r) }},
		{"async", func(s *fastcgi.Server, r chan *held) { s.AsyncHandler = holdingAsync(r) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 2)
				srv := &fastcgi.Server{MaxConcurrency: 2}
				test.set(srv, requests)
				w := p.serve(t, srv).dial(t)
				ask := func() {
					t.Helper()
					if got := w.manage(question(protocol.VarMpxsConns)); got != result(protocol.VarMpxsConns, "1") {
						t.Errorf("got %q", got)
					}
				}
				ask() // before BEGIN_REQUEST
				w.send(begin(1, fastcgi.RoleResponder, true), params(1, "A", "1"))
				ask() // between records of PARAMS
				w.send(params(1, "B", "2"), paramsEnd(1))
				running := []*held{receive(t, requests)}
				ask() // during a handler
				w.send(get(2, true), get(3, true), get(4, true))
				running = append(running, receive(t, requests))
				ask() // all handlers blocked, two requests waiting
				for range 2 {
					running = append(running, nil)
				}
				for _, h := range running {
					if h == nil {
						h = receive(t, requests)
					}
					h.finish()
				}
				for id := range uint16(4) {
					w.answer(id + 1).expectUnanswered(t)
				}
			})
		})
	}
}

// A28: questions are not read any more while nobody reads the answers.
func TestA28FloodStops(t *testing.T) {
	for _, test := range []struct {
		name   string
		record []byte
	}{
		{"GET_VALUES", question(protocol.VarMaxConns, protocol.VarMaxReqs, protocol.VarMpxsConns)},
		{"unknown type", protocol.AppendHeader(nil, protocol.Header{Type: 99})},
		{"refused requests", begin(1, 9, true)},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
				w := a.dial(t)
				flood := bytes.Repeat(test.record, 4<<20/len(test.record))
				go w.Write(flood)
				synctest.Wait()
				if n := a.Stats().BytesIn; n > 256<<10 {
					t.Errorf("%d bytes of questions were read", n)
				}
			})
		})
	}
}

// A28: once the answers are read, all questions are answered.
func TestA28FloodGoesOn(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		const n = 50000
		sent := make(chan error, 1)
		go func() {
			_, err := w.Write(bytes.Repeat(question(protocol.VarMpxsConns), n))
			sent <- err
		}()
		for len(w.management) < n {
			if err := w.read(); err != nil {
				t.Fatalf("after %d answers: %v", len(w.management), err)
			}
		}
		if err := receive(t, sent); err != nil {
			t.Error(err)
		}
		want := result(protocol.VarMpxsConns, "1")
		if i := slices.IndexFunc(w.management, func(s string) bool { return s != want }); i >= 0 {
			t.Errorf("answer %d is %q", i, w.management[i])
		}
	})
}

// A28: while answers wait to be read, ABORT_REQUEST is still seen.
func TestA28AbortBehindQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		w := inBubble.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(start(1, true))
		h := <-requests
		go h.w.Write([]byte(strings.Repeat("x", 1<<20)))
		synctest.Wait()
		w.send(question(protocol.VarMpxsConns), question(protocol.VarMaxConns), abort(1))
		synctest.Wait()
		if !h.r.Aborted() {
			t.Error("the request is not aborted")
		}
		h.finish()
		w.answer(1)
	})
}
