package fastcgi_test

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Whatever a peer does wrong, it is told as far as the protocol has words for it, and the log has one line that says what
// happened and who it was.
func TestBadInputIsLogged(t *testing.T) {
	const responder = fastcgi.RoleResponder
	badVersion := stdinEnd(1)
	badVersion[0] = 2
	for _, test := range []struct {
		name string
		sent []byte
		told func(t *testing.T, w *web) // nil if the connection is closed instead
		log  []string
	}{
		{"HTTP", []byte("POST / HTTP/1.1\r\n\r\n"), nil, []string{"unsupported protocol version"}},
		{"TLS", []byte("\x16\x03\x01\x00\xf0\x01\x00\x00\xec\x03\x03"), nil, []string{"unsupported protocol version"}},
		{"version in the middle", slices.Concat(start(1, true), badVersion), nil, []string{"unsupported protocol version"}},
		{"short BEGIN", protocol.AppendRecord(nil, protocol.TypeBeginRequest, 1, make([]byte, 7)), nil, []string{"BEGIN_REQUEST"}},
		{"BEGIN with id 0", begin(0, responder, true), nil, []string{"BEGIN_REQUEST"}},
		{"BEGIN twice", slices.Concat(begin(1, responder, true), begin(1, responder, true)), nil, []string{"already active"}},
		{"pair cut short", slices.Concat(begin(1, responder, true), record(protocol.TypeParams, 1, "\x05\x01NAM"), paramsEnd(1)), nil, []string{"name-value pair is cut short"}},
		{"length cut short", slices.Concat(begin(1, responder, true), record(protocol.TypeParams, 1, "\x05\x80\x00"), paramsEnd(1)), nil, []string{"name-value pair is cut short"}},
		{"long pair", slices.Concat(begin(1, responder, true), record(protocol.TypeParams, 1, "\x05\xff\xff\xff\xffNAME")), toldStatus(431), []string{"request 1"}},
		{"many pairs", start(1, true, slices.Repeat([]string{"A", "1"}, 1001)...), toldStatus(431), []string{"request 1"}},
		{"NUL", start(1, true, "A", "1\x002"), toldStatus(400), []string{"request 1", "NUL"}},
		{"unknown role", begin(1, 9, true), toldRefused(protocol.StatusUnknownRole), []string{"request refused", "UNKNOWN_ROLE"}},
		{"many requests", floodOfBegins(101), toldRefused(protocol.StatusOverloaded), []string{"request refused", "OVERLOADED"}},
		{"very many requests", floodOfBegins(200), toldRefused(protocol.StatusOverloaded), []string{"request refused", "OVERLOADED"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{Handler: hello})
				w := a.dial(t)
				w.expects(test.sent)
				go w.Write(test.sent)
				if test.told != nil {
					test.told(t, w)
				} else {
					w.expectClosed()
				}
				a.log.expect(t, append(test.log, "level=WARN", "remote=")...)
				if n := strings.Count(a.log.String(), "\n"); n != 1 {
					t.Errorf("there are %d lines:\n%s", n, a.log)
				}
				a.dial(t).ask(1).expect(t, "hello")
			})
		})
	}
}

func record(t protocol.RecordType, id uint16, content string) []byte {
	return protocol.AppendRecord(nil, t, id, []byte(content))
}

// floodOfBegins begins n requests. The last one to begin has id 1.
func floodOfBegins(n int) (b []byte) {
	for id := n; id > 0; id-- {
		b = append(b, begin(uint16(id), fastcgi.RoleResponder, true)...)
	}
	return b
}

func toldStatus(code int) func(*testing.T, *web) {
	return func(t *testing.T, w *web) {
		t.Helper()
		w.answer(1).expectStatus(t, code)
		w.ask(1).expect(t, "hello")
	}
}

func toldRefused(s protocol.Status) func(*testing.T, *web) {
	return func(t *testing.T, w *web) {
		t.Helper()
		w.answer(1).expectRefused(t, s)
	}
}

// A peer that hangs up in the middle of something has a line, too, for those who look for it.
func TestHangupIsLogged(t *testing.T) {
	for name, sent := range map[string][]byte{
		"in a header":  stdinEnd(1)[:7],
		"in a record":  record(protocol.TypeStdin, 1, "text")[:10],
		"in PARAMS":    begin(1, fastcgi.RoleResponder, true),
		"in its STDIN": start(1, true),
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				srv := &fastcgi.Server{}
				kinds[0].echo(srv)
				a := p.serve(t, srv)
				w := a.dial(t)
				w.Write(sent)
				w.Close()
				a.log.expect(t, "level=DEBUG", "web server closed the connection", "active=", "remote=")
			})
		})
	}
}

// F1: a byte a second is cut off when its time is up, answered where there is a request, and logged.
func TestF1ByteASecond(t *testing.T) {
	slowly := params(1, "A", strings.Repeat("x", 100))
	for name, first := range map[string][]byte{"record": nil, "params": begin(1, fastcgi.RoleResponder, true)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
				w := a.dial(t)
				w.send(first)
				go func() {
					for i := range slowly {
						if _, err := w.Write(slowly[i : i+1]); err != nil {
							return
						}
						time.Sleep(time.Second)
					}
				}()
				if first != nil {
					w.answer(1).expectStatus(t, 408)
				}
				w.expectClosed()
				a.log.expect(t, "level=WARN", "incomplete after ParamsTimeout", "remote=")
				time.Sleep(time.Minute) // so that the sender notices
			})
		})
	}
}

// F6: beginning 65,535 requests and reading no answer takes a little memory, and then nothing more is read.
func TestF6AllIDsUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := inBubble.serve(t, &fastcgi.Server{Handler: hello})
		w := a.dial(t)
		flood := floodOfBegins(65535)
		w.expects(flood)
		go w.Write(flood)
		synctest.Wait()
		// A refusal takes as much as the request: 64 KiB wait, as much is being sent, and one read more.
		if s := a.Stats(); s.BytesIn > 3<<16 || s.Requests != 100 || s.BufferedBytes != 0 {
			t.Errorf("the counters are %+v", s)
		}
		w.answer(1).expectRefused(t, protocol.StatusOverloaded)
		if n := strings.Count(a.log.String(), "\n"); n != 1 {
			t.Errorf("the log has %d lines", n)
		}
		w.send(paramsEnd(65535))
		w.answer(65535).expect(t, "hello")
		if s := a.Stats(); s.BytesOut < 65435*16 {
			t.Errorf("%d bytes were sent", s.BytesOut)
		}
	})
}
