package fastcgi_test

import (
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A9: requests whose records interleave are kept apart, and end in whatever order they are finished.
func TestA9Interleaved(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 3)
		w := p.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		for id := range uint16(3) {
			w.send(begin(id+1, fastcgi.RoleResponder, true))
		}
		for _, piece := range []string{"\x02\x04", "I", "D", "id-"} {
			for id := range uint16(3) {
				w.send(protocol.AppendRecord(nil, protocol.TypeParams, id+1, []byte(piece)))
			}
		}
		for _, id := range []uint16{3, 1, 2} {
			w.send(protocol.AppendRecord(nil, protocol.TypeParams, id, []byte(strconv.Itoa(int(id)))), paramsEnd(id))
		}
		byID := map[uint16]*held{}
		for range 3 {
			h := receive(t, requests)
			byID[h.r.ID] = h
		}
		for _, piece := range []string{"a", "b"} {
			for _, id := range []uint16{2, 3, 1} {
				w.send(stdin(id, piece+strconv.Itoa(int(id))))
			}
		}
		w.send(stdinEnd(1), stdinEnd(3), stdinEnd(2))
		for _, id := range []uint16{2, 1, 3} {
			h := byID[id]
			body, err := io.ReadAll(h.r)
			if err != nil {
				t.Fatal(err)
			}
			io.WriteString(h.w, h.r.Params.Get("ID")+" "+string(body))
			h.finish()
			n := strconv.Itoa(int(id))
			w.answer(id).expect(t, "id-"+n+" a"+n+"b"+n)
		}
		if !slices.Equal(w.order, []uint16{2, 1, 3}) {
			t.Errorf("the requests ended in the order %v", w.order)
		}
	})
}

// A11: an id may be used again as soon as its request ended, and the new request has nothing of the old one.
func TestA11ReuseOfIDs(t *testing.T) {
	eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
		w := p.serve(t, srv).dial(t)
		w.send(post(1, true, "the first body", "A", "1", "B", "2"))
		w.answer(1).expect(t, "A=1\nB=2\nCONTENT_LENGTH=14\n\nthe first body")
		for range 20 {
			w.send(get(1, true, "C", "3"))
			w.answer(1).expect(t, "C=3\n\n")
		}
	})
}

// A11: the next request on an id may already be there when the first one is answered early. A Handler's ends when the web
// server has sent nothing for a while, so over sockets many ids wait for that together.
func TestA11ReuseRightBehind(t *testing.T) {
	t.Run("one id", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := inBubble.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
			for range 20 {
				reuseRightBehind(w, 7)
			}
		})
	})
	t.Run("async", func(t *testing.T) {
		everywhere(t, func(t *testing.T, p place) {
			w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "hello")
				ex.Finish(0)
			})}).dial(t)
			for range 20 {
				reuseRightBehind(w, 7)
			}
		})
	})
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		ids := make([]uint16, 20)
		for i := range ids {
			ids[i] = uint16(i + 1)
		}
		reuseRightBehind(w, ids...)
	})
}

// reuseRightBehind has requests answered before their bodies come, and others follow those bodies on the same ids.
func reuseRightBehind(w *web, ids ...uint16) {
	for _, id := range ids {
		w.send(start(id, true))
	}
	for _, id := range ids {
		w.answer(id).expect(w.t, "hello")
	}
	for _, id := range ids {
		w.send(stdin(id, "the rest of the first"), stdinEnd(id), get(id, true))
		w.answer(id).expect(w.t, "hello")
	}
}

// A29: with FCGI_KEEP_CONN the connection serves on, and the reserved flags mean nothing.
func TestA29KeepConn(t *testing.T) {
	eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
		w := p.serve(t, srv).dial(t)
		for id := range uint16(10) {
			request := get(id+1, true, "N", strconv.Itoa(int(id)))
			request[10] = 0xff // the flags
			w.send(request)
			w.answer(id+1).expect(t, "N="+strconv.Itoa(int(id))+"\n\n")
		}
	})
}

// A29: without it the connection is closed after the answer, whatever the reserved flags say.
func TestA29Close(t *testing.T) {
	eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
		w := p.serve(t, srv).dial(t)
		request := get(1, false)
		request[10] = 0xfe
		w.send(request)
		w.answer(1).expect(t, "\n")
		w.expectEOF()
	})
}

// A29: input that comes behind the answer does not reset the connection before the web server has read the answer.
func TestA29UnreadInput(t *testing.T) {
	for _, test := range []struct {
		name   string
		head   []byte // up to where the server answers
		rest   []byte
		status protocol.Status
	}{
		{"body", start(1, false), slices.Concat(stdin(1, strings.Repeat("x", 1<<20)), stdinEnd(1)), 0},
		{
			"unknown role", begin(1, 9, false),
			slices.Concat(params(1, "A", strings.Repeat("x", 60000)), paramsEnd(1), stdinEnd(1)), protocol.StatusUnknownRole,
		},
		{"authorizer", slices.Concat(begin(1, fastcgi.RoleAuthorizer, false), paramsEnd(1)), stdinEnd(1), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			onSockets(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{Handler: hello, Authorizer: fastcgi.AuthorizerFunc(allow)})
				w := a.dial(t)
				w.send(test.head)
				eventually(t, "the request is answered", func() bool { return a.Stats().BytesOut > 0 })
				w.send(test.rest)
				if got := w.answer(1).end; got.Status != test.status {
					t.Errorf("the request ended with %+v", got)
				}
				w.expectEOF()
				w.Close()
				eventually(t, "the connection is gone", func() bool { return a.Stats().OpenConns == 0 })
			})
		})
	}
}

func allow(*fastcgi.Request) fastcgi.Decision { return fastcgi.Allow() }

// A30: a request without FCGI_KEEP_CONN closes the connection when its siblings have finished, not before.
func TestA30CloseAfterSiblings(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 2)
		w := p.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(get(1, true))
		first := receive(t, requests)
		w.send(get(2, false))
		second := receive(t, requests)
		second.finish()
		w.answer(2).expectUnanswered(t)
		io.WriteString(first.w, "still here")
		first.finish()
		w.answer(1).expect(t, "still here")
		w.expectEOF()
	})
}

// A34: where connections are not multiplexed, a second request is told so, and the first is unharmed.
func TestA34CantMultiplex(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		w := p.serve(t, &fastcgi.Server{Handler: holding(requests), MaxRequestsPerConn: 1}).dial(t)
		w.send(start(1, true))
		h := receive(t, requests)
		w.send(get(2, true))
		w.answer(2).expectRefused(t, protocol.StatusCantMultiplex)
		io.WriteString(h.w, "unharmed")
		w.send(stdinEnd(1))
		h.finish()
		w.answer(1).expect(t, "unharmed")
		w.send(get(2, true))
		receive(t, requests).finish()
		w.answer(2).expectUnanswered(t)
	})
}

// A35: a role without a handler is refused, and the connection serves on.
func TestA35UnknownRole(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		for _, role := range []protocol.Role{0, fastcgi.RoleAuthorizer, fastcgi.RoleFilter, 4, 65535} {
			w.send(begin(1, role, true), params(1, "A", "1"), paramsEnd(1), stdinEnd(1))
			w.answer(1).expectRefused(t, protocol.StatusUnknownRole)
		}
		w.ask(1).expect(t, "hello")
	})
}

// A36: the handler's status is sent as it is.
func TestA36AppStatus(t *testing.T) {
	for _, status := range []uint32{0, 1, 938, math.MaxUint32} {
		for _, srv := range []*fastcgi.Server{
			{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
				io.WriteString(w, "hello")
				w.SetAppStatus(status)
			})},
			{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "hello")
				ex.Finish(status)
			})},
			{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
				io.WriteString(ex, "hello")
				ex.SetAppStatus(status)
				ex.Finish(0)
			})},
		} {
			a := inBubble.serve(t, srv)
			if got := a.dial(t).ask(1).end; got != (protocol.EndRequest{AppStatus: status}) {
				t.Errorf("the request ended with %+v, want %d", got, status)
			}
		}
	}
}

// A37, A38: output of all lengths comes in one piece, with its ends where they belong.
func TestA37A38Streams(t *testing.T) {
	for _, n := range []int{0, 1, 255, 256, 65527, 65528, 65529, 65535, 65536, 200000} {
		out, log := strings.Repeat("o", n), strings.Repeat("e", n)
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				for _, srv := range []*fastcgi.Server{
					{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
						io.WriteString(w, out)
						io.WriteString(w.Stderr(), log)
					})},
					{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
						inTurns(w, out, w.Stderr(), log)
					})},
					{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						io.WriteString(ex, out)
						finish := func() {
							if _, err := io.WriteString(ex.Stderr(), log); err == nil {
								ex.Finish(0)
							}
						}
						ex.OnDrain(finish)
						finish()
					})},
				} {
					got := p.serve(t, srv).dial(t).ask(1)
					got.expectWritten(t, out)
					if got.stderr.String() != log {
						t.Errorf("STDERR is %q", clip(got.stderr.String()))
					}
				}
			})
		})
	}
}

// inTurns writes two texts by turns, in pieces that grow from a byte to all that is left.
func inTurns(a io.Writer, textA string, b io.Writer, textB string) {
	for n := 1; len(textA)+len(textB) > 0; n = 2*n + 1 {
		k := min(n, len(textA))
		io.WriteString(a, textA[:k])
		textA = textA[k:]
		k = min(n, len(textB))
		io.WriteString(b, textB[:k])
		textB = textB[k:]
	}
}

// A39: a Responder starts before its body is there, and may answer without it.
func TestA39BeforeTheBody(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: hello}).dial(t)
		w.send(start(1, true, "CONTENT_LENGTH", "1000000"))
		w.answer(1).expect(t, "hello")
		w.ask(2).expect(t, "hello")
	})
}

// A40: a body that is shorter than CONTENT_LENGTH is an error, what is longer is cut off.
func TestA40ContentLength(t *testing.T) {
	for _, test := range []struct {
		name, length, body string
		want               string
		err                error
	}{
		{"exact", "4", "body", "body", nil},
		{"none", "", "body", "body", nil},
		{"empty", "0", "", "", nil},
		{"one short", "5", "body", "body", io.ErrUnexpectedEOF},
		{"none at all", "5", "", "", io.ErrUnexpectedEOF},
		{"one over", "3", "body", "bod", nil},
		{"nothing announced", "0", "body", "", nil},
		{"nonsense", "four", "body", "body", nil},
		{"negative", "-1", "body", "body", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				type result struct {
					body []byte
					err  error
				}
				results := make(chan result, 2)
				report := func(body []byte, err error) { results <- result{body, err} }
				srv := &fastcgi.Server{
					Handler: fastcgi.HandlerFunc(func(_ fastcgi.ResponseWriter, r *fastcgi.Request) { report(io.ReadAll(r)) }),
					AsyncFilter: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						ex.ReadAll(100, func(body []byte, err error) { report(body, err); ex.Finish(0) })
					}),
				}
				w := p.serve(t, srv).dial(t)
				for _, role := range []protocol.Role{fastcgi.RoleResponder, fastcgi.RoleFilter} {
					w.send(begin(1, role, true), params(1, "CONTENT_LENGTH", test.length), paramsEnd(1))
					w.send(stdin(1, test.body), stdinEnd(1))
					w.answer(1)
					got := receive(t, results)
					want := test.want
					if role == fastcgi.RoleFilter && test.err != nil {
						want = "" // ReadAll gives the body or an error
					}
					if string(got.body) != want || !errors.Is(got.err, test.err) {
						t.Errorf("%v got %q, %v; want %q, %v", role, got.body, got.err, want, test.err)
					}
				}
			})
		})
	}
}
