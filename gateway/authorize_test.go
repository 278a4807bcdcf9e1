package gateway_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// authorizer returns a client of an authorizer that follows script.
func authorizer(t *testing.T, script func(*fakeapp.Conn)) *client.Client {
	t.Helper()
	c := &client.Client{Addr: fakeapp.Start(t, script)}
	t.Cleanup(func() { c.Close() })
	return c
}

// ruling answers every request with stdout.
func ruling(t *testing.T, stdout string) *client.Client {
	t.Helper()
	return authorizer(t, func(a *fakeapp.Conn) {
		r := a.Request()
		if r.Role != protocol.RoleAuthorizer {
			t.Errorf("an authorizer was asked to be %v", r.Role)
		}
		a.Say(r.Answer(stdout))
	})
}

func TestC16Allowed(t *testing.T) {
	h := &gateway.Handler{Authorizers: []client.Doer{
		ruling(t, "Status: 200 OK\nVariable-AUTH_USER: ann\nVariable-auth_level: 1\nX-Private: 2\nContent-Type: a/b\n\nhello"),
		authorizer(t, func(a *fakeapp.Conn) {
			r := a.Request()
			compare(t, r.Params, map[string]string{
				"AUTH_USER": "ann", "REQUEST_URI": "/x", "CONTENT_LENGTH": unset, "SCRIPT_NAME": unset, "PATH_INFO": unset,
			})
			a.Say(r.Answer("Status: 200\nVariable-AUTH_LEVEL: 9\n\n"))
		}),
	}}
	f := scripted(t, h, params)
	resp, body, err := f.do(t, f.request(t, "POST", "/x", strings.NewReader("body")))
	if err != nil || resp.Header.Get("X-Private") != "" {
		t.Fatalf("%v, %v", resp, err)
	}
	compare(t, decode(t, body), map[string]string{
		"AUTH_USER": "ann", "AUTH_LEVEL": "9", "CONTENT_LENGTH": "4", "PATH_INFO": "/x", "X_PRIVATE": unset,
	})
}

// C16: what an authorizer says when it denies is the response. Nothing that goes
// wrong lets a request pass.
func TestC16Denied(t *testing.T) {
	for _, tt := range []struct {
		name       string
		authorizer *client.Client
		status     int
		body       string
	}{
		{"401", ruling(t, "Status: 401\nWWW-Authenticate: Basic\nContent-Type: text/plain\n\nwho are you?"), 401, "who are you?"},
		{"redirect", ruling(t, "Status: 303\nLocation: /login\n\n"), 303, ""},
		{"201", ruling(t, "Status: 201\n\n"), 201, ""},
		{"no Status", ruling(t, "Content-Type: text/plain\n\nwelcome"), 502, "502 Bad Gateway\n"},
		{"local redirect", ruling(t, "Location: /elsewhere\n\n"), 502, "502 Bad Gateway\n"},
		{"no header", ruling(t, ""), 502, "502 Bad Gateway\n"},
		{"broken header", ruling(t, "Status: 200\nVariable-A : 1\n\n"), 502, "502 Bad Gateway\n"},
		{"breaks off", authorizer(t, func(a *fakeapp.Conn) { a.Say(a.Request().Stdout("Status: 200\n\n")) }), 502, "502 Bad Gateway\n"},
		{"overloaded after 200", authorizer(t, func(a *fakeapp.Conn) {
			r := a.Request()
			a.Say(r.Stdout("Status: 200\n\n"), r.End(0, protocol.StatusOverloaded))
		}), 503, "503 Service Unavailable\n"},
		{"no authorizer", authorizer(t, func(a *fakeapp.Conn) { a.Say(a.Request().End(0, protocol.StatusUnknownRole)) }), 500, "500 Internal Server Error\n"},
		{"gone", &client.Client{Addr: "unix:/nowhere", DialTimeout: time.Millisecond}, 503, "503 Service Unavailable\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &gateway.Handler{Authorizers: []client.Doer{ruling(t, "Status: 200\n\n"), tt.authorizer}}
			f := scripted(t, h, func(*fakeapp.Request) string {
				t.Error("the request passed")
				return ""
			})
			f.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
			for _, body := range []io.Reader{nil, strings.NewReader("body"), unsized("body")} {
				resp, got, err := f.do(t, f.request(t, "POST", "/", body))
				if err != nil || resp.StatusCode != tt.status || got != tt.body {
					t.Errorf("%v, %q, %v", resp, got, err)
				}
			}
		})
	}
}

// G2: a local redirect is authorised like any other request.
func TestC16RedirectIsAuthorisedAgain(t *testing.T) {
	h := &gateway.Handler{Authorizers: []client.Doer{authorizer(t, func(a *fakeapp.Conn) {
		r := a.Request()
		if r.Params["REQUEST_URI"] == "/secret" {
			a.Say(r.Answer("Status: 403\n\n"))
			return
		}
		a.Say(r.Answer("Status: 200\n\n"))
	})}}
	f := scripted(t, h, func(*fakeapp.Request) string { return "Location: /secret\n\n" })
	if resp, _ := f.get(t, "/open"); resp.StatusCode != 403 {
		t.Errorf("status %d", resp.StatusCode)
	}
}
