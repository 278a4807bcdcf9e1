package fastcgitest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// writing is a handler that writes text.
func writing(text string) fastcgi.Handler {
	return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { io.WriteString(w, text) })
}

// echo answers with the role, the body and the data.
func echo(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	body, err := io.ReadAll(r)
	data, err2 := io.ReadAll(r.Data())
	if err := errors.Join(err, err2); err != nil {
		fmt.Fprint(w.Stderr(), err)
	}
	fastcgi.SendResponse(w, 200, "text/plain", fmt.Sprintf("%v %s %s", r.Role, body, data))
}

func TestEveryKindOfHandler(t *testing.T) {
	async := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		ex.ReadAll(100, func(body []byte, err error) {
			fastcgi.SendResponse(ex, 200, "text/plain", fmt.Sprintf("%v %s", ex.Role(), body))
			fmt.Fprint(ex.Stderr(), "noted")
			ex.Finish(7)
		})
	})
	allow := fastcgi.AuthorizerFunc(func(r *fastcgi.Request) fastcgi.Decision {
		return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: r.Params.Get("HTTP_X_TOKEN") + ": " + r.Role.String()})
	})
	mux := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprintf(w, "%s %s %s %s", r.Host, r.URL, r.RemoteAddr, body)
	})
	ctx := t.Context()
	for _, tt := range []struct {
		name           string
		run            func(*fastcgitest.Request) (*fastcgitest.Response, error)
		code           int
		body, stderr   string
		status         uint32
		variable, data string
	}{
		{name: "Handler", code: 200, body: "RESPONDER body ", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.Serve(ctx, fastcgi.HandlerFunc(echo), req)
		}},
		{name: "AsyncHandler", code: 200, body: "RESPONDER body", stderr: "noted", status: 7, run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.ServeAsync(ctx, async, req)
		}},
		{name: "Authorizer", code: 200, variable: "AUTH_USER=token: AUTHORIZER", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.Authorize(ctx, allow, req)
		}},
		{name: "Authorizer that denies", code: 403, body: "Forbidden\n", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.Authorize(ctx, fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision { return fastcgi.Decision{} }), req)
		}},
		{name: "Filter", code: 200, data: "data", body: "FILTER body data", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.Filter(ctx, fastcgi.HandlerFunc(echo), req)
		}},
		{name: "Filter by its role", code: 200, data: "data", body: "FILTER body data", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			req.Role = fastcgi.RoleFilter
			return fastcgitest.Do(ctx, &fastcgi.Server{Filter: fastcgi.HandlerFunc(echo)}, req)
		}},
		{name: "http.Handler", code: 418, body: "example.com /path?query 192.0.2.1:1234 body", run: func(req *fastcgitest.Request) (*fastcgitest.Response, error) {
			return fastcgitest.ServeHTTP(ctx, mux, req)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := fastcgitest.NewRequest("POST", "/path?query", strings.NewReader("body"))
			req.Header.Set("X-Token", "token")
			if tt.data != "" {
				req.Data = strings.NewReader(tt.data)
			}
			resp, err := tt.run(req)
			if err != nil {
				t.Fatal(err)
			}
			variable := ""
			for _, v := range resp.Variables {
				variable += v.Name + "=" + v.Value
			}
			if resp.StatusCode != tt.code || string(resp.Body) != tt.body || string(resp.Stderr) != tt.stderr ||
				resp.AppStatus != tt.status || resp.ProtocolStatus != 0 || variable != tt.variable {
				t.Errorf("the response is %+v, variables %q, body %q, STDERR %q", resp, variable, resp.Body, resp.Stderr)
			}
			if tt.body != "" && !strings.HasSuffix(string(resp.Stdout), "\r\n\r\n"+tt.body) {
				t.Errorf("STDOUT is %q", resp.Stdout)
			}
		})
	}
}

func TestResponse(t *testing.T) {
	for _, tt := range []struct {
		name, stdout string
		code         int
		body         string
	}{
		{"status", "Status: 404 Not Found\r\nX: y\r\n\r\nbody", 404, "body"},
		{"none", "Content-Type: text/plain\n\nbody", 200, "body"},
		{"redirect", "Location: http://example.org/\r\n\r\n", 302, ""},
		{"local redirect", "Location: /here\r\n\r\n", 302, ""},
		{"redirect with a status", "Status: 303\r\nLocation: /here\r\n\r\n", 303, ""},
		{"no body", "Status: 200\r\n\r\n", 200, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			resp, err := fastcgitest.Serve(t.Context(), writing(tt.stdout), fastcgitest.NewRequest("GET", "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.code || string(resp.Body) != tt.body || string(resp.Stdout) != tt.stdout || resp.Header == nil {
				t.Errorf("the response is %+v, body %q", resp, resp.Body)
			}
			result := resp.Result()
			body, err := io.ReadAll(result.Body)
			if err != nil || result.StatusCode != tt.code || string(body) != tt.body || result.ContentLength != int64(len(tt.body)) ||
				result.Status != fmt.Sprintf("%d %s", tt.code, http.StatusText(tt.code)) || len(result.Header) != len(resp.Header) {
				t.Errorf("the result is %+v, body %q, error %v", result, body, err)
			}
		})
	}
}

func TestResultOfHead(t *testing.T) {
	resp, err := fastcgitest.Serve(t.Context(), writing("Status: 200\nContent-Length: 5\n\n"), fastcgitest.NewRequest("HEAD", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	if n := resp.Result().ContentLength; n != 5 {
		t.Errorf("ContentLength is %d", n)
	}
}

func TestVariables(t *testing.T) {
	const text = "Status: 200\r\nVariable-AUTH_USER: joe\r\nvariable-x:\r\nVariable-: none\r\nX-Variable-Y: no\r\nVariable-AUTH_USER: jane\r\n\r\nVariable-BODY: no\r\n"
	resp, err := fastcgitest.Serve(t.Context(), writing(text), fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(resp.Variables); got != "[{AUTH_USER joe} {x } {AUTH_USER jane}]" {
		t.Errorf("the variables are %s", got)
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	closed := &fastcgi.Server{Handler: writing("")}
	closed.Close()
	for _, tt := range []struct {
		name   string
		srv    *fastcgi.Server
		stdout string
		is     error
		says   []string
	}{
		{"no head", &fastcgi.Server{Handler: writing("hello")}, "hello", nil, []string{`"hello"`, "ends within its head"}},
		{
			"a head that is none",
			&fastcgi.Server{Handler: writing("hello\n\nworld")},
			"hello\n\nworld", nil,
			[]string{`"hello\n\nworld"`, "no colon"},
		},
		{
			"a long one",
			&fastcgi.Server{Handler: writing(strings.Repeat("h", 513))},
			strings.Repeat("h", 513), nil,
			[]string{`513 bytes`, `"` + strings.Repeat("h", 512) + `"`},
		},
		{"nothing", &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w.Stderr(), "out of ideas")
			w.SetAppStatus(3)
		})}, "", nil, []string{"wrote no response", `"out of ideas"`, "appStatus is 3"}},
		{"a role that is not served", &fastcgi.Server{Filter: writing("")}, "", nil, []string{"RESPONDER", "UNKNOWN_ROLE"}},
		{"settings", &fastcgi.Server{Handler: writing(""), Driver: "horse"}, "", nil, []string{`"horse"`}},
		{"a server that is closed", closed, "", fastcgi.ErrServerClosed, []string{"server closed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.srv.ErrorLog = quiet
			resp, err := fastcgitest.Do(t.Context(), tt.srv, fastcgitest.NewRequest("GET", "/", nil))
			if err == nil || resp == nil || string(resp.Stdout) != tt.stdout || tt.is != nil && !errors.Is(err, tt.is) {
				t.Fatalf("the response is %+v, the error %v", resp, err)
			}
			for _, word := range tt.says {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("the error does not say %s: %v", word, err)
				}
			}
		})
	}
}

func TestRefusalHasItsStatus(t *testing.T) {
	resp, err := fastcgitest.Do(t.Context(), &fastcgi.Server{Handler: writing("")}, &fastcgitest.Request{Role: fastcgi.RoleFilter})
	if err == nil || resp.ProtocolStatus != protocol.StatusUnknownRole {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	srv := &fastcgi.Server{
		ErrorLog: slog.New(slog.DiscardHandler),
		Handler:  fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) { panic("at the disco") }),
	}
	resp, err := fastcgitest.Do(t.Context(), srv, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil || resp.StatusCode != 500 || resp.AppStatus != 2 || !strings.Contains(string(resp.Stderr), "at the disco") {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
}

// The settings of a server count, and it may be asked again and again.
func TestServerIsAskedAgain(t *testing.T) {
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(echo), MaxParams: 1000, ErrorLog: slog.New(slog.DiscardHandler)}
	for range 3 {
		for length, want := range map[int]int{100: 200, 1000: 431, 60_000: 431} {
			req := fastcgitest.NewRequest("GET", "/?"+strings.Repeat("a", length), strings.NewReader("body"))
			req.Params = req.Params[8:] // the query is in QUERY_STRING
			req.DelParam("REQUEST_URI")
			resp, err := fastcgitest.Do(t.Context(), srv, req)
			if err != nil || resp.StatusCode != want {
				t.Errorf("%d bytes of query: the response is %+v, the error %v", length, resp, err)
			}
		}
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestBodyThatNobodyReads(t *testing.T) {
	body := strings.NewReader(strings.Repeat("b", 10<<20))
	resp, err := fastcgitest.Serve(t.Context(), writing("Status: 200\n\n"), fastcgitest.NewRequest("POST", "/", body))
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
}

// An authorizer is sent no body, so that who answers the request afterwards has it.
func TestAuthorizerLeavesTheBody(t *testing.T) {
	body, w := io.Pipe()
	req := fastcgitest.NewRequest("POST", "/", body)
	resp, err := fastcgitest.Authorize(t.Context(), fastcgi.AuthorizerFunc(func(*fastcgi.Request) fastcgi.Decision {
		return fastcgi.Allow()
	}), req)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the response is %+v, the error %v", resp, err)
	}
	go func() {
		io.WriteString(w, "body")
		w.Close()
	}()
	resp, err = fastcgitest.Serve(t.Context(), fastcgi.HandlerFunc(echo), req)
	if err != nil || string(resp.Body) != "RESPONDER body " {
		t.Errorf("the body is %q, the error %v", resp.Body, err)
	}
}

// What is over already is not begun.
func TestContextThatHasEnded(t *testing.T) {
	cause := errors.New("an error of the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	_, err := fastcgitest.Serve(ctx, writing("Status: 200\n\n"), fastcgitest.NewRequest("GET", "/", nil))
	if !errors.Is(err, cause) {
		t.Errorf("the error is %v", err)
	}
}
