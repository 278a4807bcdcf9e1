package fastcgi_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// W16: a handler that writes no response has its request answered with status 500, and logged once with method, path
// and reason; one that answers after a refusal gives just that answer.
func TestW16Unanswered(t *testing.T) {
	refused := func(w fastcgi.ResponseWriter) error {
		return fastcgi.SendResponse(w, 200, "", nil, fastcgi.Pair{Name: "X\n", Value: "y"})
	}
	for name, test := range map[string]struct {
		answer    func(w fastcgi.ResponseWriter)
		stdout    string // empty: the error page
		reason    string // in the log; empty: nothing is logged
		appStatus uint32
	}{
		"nothing": {answer: func(fastcgi.ResponseWriter) {}, reason: "the handler has written none", appStatus: 1},
		"nothing but STDERR": {
			answer: func(w fastcgi.ResponseWriter) { io.WriteString(w.Stderr(), "oh\n") }, reason: "the handler has written none", appStatus: 1,
		},
		"an empty Write": {answer: func(w fastcgi.ResponseWriter) { w.Write(nil); w.Flush() }, reason: "the handler has written none", appStatus: 1},
		"a refused header": {
			answer: func(w fastcgi.ResponseWriter) { refused(w) }, reason: "has characters that a header cannot have", appStatus: 1,
		},
		"a refused redirect": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.SendRedirect(w, `/\evil`) }, reason: "has characters that a URL cannot have", appStatus: 1,
		},
		"data of no kind": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.SendResponse(w, 200, "text/plain", 42) }, reason: "cannot send a int", appStatus: 1,
		},
		"a refused decision": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.Allow(fastcgi.Pair{Name: "A B"}).Send(w) }, reason: "Variable-A B", appStatus: 1,
		},
		"two refusals": {
			answer: func(w fastcgi.ResponseWriter) { refused(w); fastcgi.SendResponse(w, 0, "", nil) }, reason: "has characters that a header", appStatus: 1,
		},
		"a refusal and an appStatus": {
			answer: func(w fastcgi.ResponseWriter) { refused(w); w.SetAppStatus(7) }, reason: "has characters that a header", appStatus: 7,
		},
		"a refusal through a wrapper": {
			answer: func(w fastcgi.ResponseWriter) { refused(wrapped{w}) }, reason: "has characters that a header", appStatus: 1,
		},
		"a refused redirect through a wrapper": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.SendRedirect(wrapped{w}, "//evil") }, reason: "has a host but no scheme", appStatus: 1,
		},
		"a refusal through a wrapper that tells nothing": {
			answer: func(w fastcgi.ResponseWriter) { refused(struct{ fastcgi.ResponseWriter }{w}) },
			reason: "the handler has written none", appStatus: 1,
		},
		"a response that a wrapper keeps for ever": {
			answer: func(w fastcgi.ResponseWriter) {
				k := &keeper{wrapped: wrapped{w}}
				fastcgi.SendResponse(k, 200, "", "x")
				fastcgi.SendResponse(k, 200, "", "y")
			},
			reason: "the handler has written none", appStatus: 1,
		},
		"a Deny that would allow": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.Deny(200, "", "no").Send(w) }, reason: "would allow the request", appStatus: 1,
		},
		"a refusal and an answer": {
			answer: func(w fastcgi.ResponseWriter) {
				if refused(w) != nil {
					fastcgi.SendResponse(w, 503, "", "sorry")
				}
			},
			stdout: "Status: 503 Service Unavailable\r\n\r\nsorry",
		},
		"an answer and a refusal": {
			answer: func(w fastcgi.ResponseWriter) { fastcgi.SendResponse(w, 200, "", "fine"); refused(w) },
			stdout: "Status: 200 OK\r\n\r\nfine",
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, test.answer, func(t *testing.T, a *app, got *answer) {
				want := test.stdout
				if want == "" {
					want = "Status: 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nInternal Server Error\n"
				}
				if got.stdout.String() != want || got.end != (protocol.EndRequest{AppStatus: test.appStatus}) {
					t.Errorf("the answer is %q, %+v", got.stdout.String(), got.end)
				}
				if test.reason == "" {
					if a.log.String() != "" {
						t.Errorf("logged was %q", a.log.String())
					}
					return
				}
				a.log.expect(t, "level=WARN", "no response was written", "method=GET", "path=/a%20b ", test.reason, "request=1")
				if n := strings.Count(a.log.String(), "\n"); n != 1 || strings.Contains(a.log.String(), "secret") {
					t.Errorf("logged was %q", a.log.String())
				}
			})
		})
	}
}

// W16: an appStatus says that there is no response on purpose, and a request that was cancelled wants none.
func TestW16SilentOnPurpose(t *testing.T) {
	inBothModes(t, func(w fastcgi.ResponseWriter) { w.SetAppStatus(3) }, func(t *testing.T, a *app, got *answer) {
		if got.stdout.Len() > 0 || got.end.AppStatus != 3 || a.log.String() != "" {
			t.Errorf("the answer is %q, %+v; logged was %q", got.stdout.String(), got.end, a.log.String())
		}
	})
	for mode, srv := range map[string]*fastcgi.Server{
		"sync": {Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			<-r.Context().Done()
			fastcgi.SendResponse(w, 0, "", nil)
		})},
		"async": {AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.OnAbort(func(error) { ex.Finish(0) })
		})},
	} {
		t.Run(mode, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, reused(srv))
				w := a.dial(t)
				w.send(start(1, true), abort(1))
				if got := w.answer(1); got.stdout.Len() > 0 || got.end != (protocol.EndRequest{}) || a.log.String() != "" {
					t.Errorf("the answer is %q, %+v; logged was %q", got.stdout.String(), got.end, a.log.String())
				}
			})
		})
	}
}

// W16: it is the same for every role.
func TestW16Roles(t *testing.T) {
	nothing := fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {})
	async := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { ex.Finish(0) })
	for name, test := range map[string]struct {
		role   protocol.Role
		srv    *fastcgi.Server
		reason string
	}{
		"filter":           {protocol.RoleFilter, &fastcgi.Server{Filter: nothing}, "written none"},
		"async authorizer": {protocol.RoleAuthorizer, &fastcgi.Server{AsyncAuthorizer: async}, "written none"},
		"authorizer": {protocol.RoleAuthorizer, &fastcgi.Server{Authorizer: fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision {
			return fastcgi.Deny(99, "", nil)
		})}, "status code 99"},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				srv := &fastcgi.Server{
					Handler: test.srv.Handler, Filter: test.srv.Filter,
					Authorizer: test.srv.Authorizer, AsyncAuthorizer: test.srv.AsyncAuthorizer,
				}
				a := p.serve(t, srv)
				w := a.dial(t)
				w.send(begin(1, test.role, true), params(1, "SCRIPT_NAME", "/s", "PATH_INFO", "/p\n"), paramsEnd(1), stdinEnd(1))
				if test.role == protocol.RoleFilter {
					w.send(dataEnd(1))
				}
				w.answer(1).expectUnanswered(t)
				a.log.expect(t, "no response was written", `path=/s/p\n `, test.reason)
				if n := strings.Count(a.log.String(), "\n"); n != 1 {
					t.Errorf("logged was %q", a.log.String())
				}
			})
		})
	}
}

// An error page has no body where the method is HEAD.
func TestErrorPageToHead(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {})}).dial(t)
		got := w.ask(1, "REQUEST_METHOD", "HEAD").stdout.String()
		if want := "Status: 500 Internal Server Error\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"; got != want {
			t.Errorf("the answer is %q", got)
		}
	})
}

// W16: an http.Handler that writes nothing has answered with status 200, as in net/http; one that closes its hijacked
// connection without a word means it.
func TestW16HTTP(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		a := p.serveHTTP(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		if got := a.dial(t).ask(1, httpGet()...); got.status() != 200 || got.end.AppStatus != 0 || a.log.String() != "" {
			t.Errorf("the answer is %q, %+v", got.stdout.String(), got.end)
		}
		a = p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _ := hijack(t, w)
			conn.Close()
		}))
		w := a.dial(t)
		w.send(httpUpgrade(1))
		if got := w.answer(1); got.stdout.Len() > 0 || a.log.String() != "" {
			t.Errorf("the answer is %q, %+v; logged was %q", got.stdout.String(), got.end, a.log.String())
		}
	})
}
