package gateway_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// redirecting answers /from/... with what it is given, and anything else with
// its parameters.
func redirecting(answer string) func(*fakeapp.Request) string {
	return func(r *fakeapp.Request) string {
		if strings.HasPrefix(r.Params["PATH_INFO"], "/from") {
			return answer
		}
		return params(r)
	}
}

func TestG2LocalRedirect(t *testing.T) {
	for _, method := range []string{"GET", "POST", "DELETE"} {
		f := scripted(t, &gateway.Handler{}, redirecting("Location: /to%20here?x=1\n\n"))
		r := f.request(t, method, "/from?y=2", strings.NewReader("body"))
		r.Header.Set("Content-Type", "a/b")
		r.Header.Set("Cookie", "c=1")
		_, body, err := f.do(t, r)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, decode(t, body), map[string]string{
			"REQUEST_METHOD": "GET", "PATH_INFO": "/to here", "REQUEST_URI": "/to%20here?x=1", "QUERY_STRING": "x=1",
			"CONTENT_LENGTH": unset, "CONTENT_TYPE": unset, "HTTP_COOKIE": "c=1",
		})
	}
}

func TestG2LocalRedirectOfHEAD(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, redirecting("Location: /to\n\n"))
	resp, _, err := f.do(t, f.request(t, "HEAD", "/from", nil))
	if err != nil || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%v, %v", resp, err)
	}
}

func TestG2NoLocalRedirect(t *testing.T) {
	for name, answer := range map[string]string{
		"a body":        "Location: /to\n\nbody",
		"a type":        "Location: /to\nContent-Type: a/b\n\n",
		"another field": "Location: /to\nSet-Cookie: a\n\n",
		"no URL":        "Location: /%zz\n\n",
		"to itself":     "Location: /from\n\n",
	} {
		f := scripted(t, &gateway.Handler{}, redirecting(answer))
		if resp, _ := f.get(t, "/from"); resp.StatusCode != 502 {
			t.Errorf("%s: status %d", name, resp.StatusCode)
		}
	}
}

func TestG2HopLimit(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, func(r *fakeapp.Request) string {
		n, _ := strconv.Atoi(r.Params["PATH_INFO"][1:])
		if n == 0 {
			return "Content-Type: text/plain\n\narrived"
		}
		return "Location: /" + strconv.Itoa(n-1) + "\n\n"
	})
	for hops, want := range map[string]int{"/9": 200, "/10": 200, "/11": 502} {
		if resp, body := f.get(t, hops); resp.StatusCode != want {
			t.Errorf("%s: %d, %q", hops, resp.StatusCode, body)
		}
	}
}

// CVE-2024-38476: the new path goes through whatever guards paths.
func TestG2RedirectIsAuthorisedAgain(t *testing.T) {
	h := &gateway.Handler{}
	h.LocalRedirect = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/secret" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
	f := scripted(t, h, func(r *fakeapp.Request) string {
		switch r.Params["PATH_INFO"] {
		case "/a":
			return "Location: /b\n\n"
		case "/b":
			return "Location: /secret\n\n"
		}
		t.Errorf("the application was asked for %s", r.Params["PATH_INFO"])
		return ""
	})
	if resp, _ := f.get(t, "/a"); resp.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", resp.StatusCode)
	}
}
