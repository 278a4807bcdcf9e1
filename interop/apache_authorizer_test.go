package interop_test

import (
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A41: mod_authnz_fcgi asks an Authorizer without any STDIN. What that says in Variable-AUTH_USER is the user, for
// Apache and for the application.
func apacheAuthorizer(t *testing.T, probe string) {
	t.Parallel()
	for _, mode := range []string{"sync", "async"} {
		t.Run(mode, func(t *testing.T) {
			p := newPlace(t)
			startProbe(t, probe, "tcp:"+p.tcp, "-mode", mode)
			startProbe(t, probe, "unix:"+p.socket)
			s := apache.run(t, p, "authorizer.conf", "")
			for range 3 {
				s.get(t, "").want(t, 403, "denied\n")
				wantParams(t, params(t, s.do(t, withToken(s.request(t, http.MethodGet, "", nil)))), map[string]string{
					"REMOTE_USER": "probe",
					"AUTH_USER":   "probe",
				})
			}
			// The body is not the Authorizer's.
			req := withToken(s.request(t, http.MethodPost, "do=digest", noise(1_000_000)))
			s.do(t, req).want(t, 200, noiseDigest(t, 1_000_000))
		})
	}
}

func withToken(r *http.Request) *http.Request {
	r.Header.Set("X-Token", "let-me-in")
	return r
}

// apachePasswords asks an Authorizer twice: first whether a password is right, then whether the user may pass.
func apachePasswords(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	srv := &fastcgi.Server{Authorizer: fastcgi.AuthorizerFunc(checkPassword)}
	serve(t, srv, "tcp:"+p.tcp)
	startProbe(t, probe, "unix:"+p.socket)
	s := apache.run(t, p, "passwords.conf", "")
	for _, tt := range []struct {
		user, password string
		status         int
	}{
		{"", "", 401},
		{"joe", "wrong", 401},
		{"jack", "secret", 403},
		{"joe", "secret", 200},
	} {
		req := s.request(t, http.MethodGet, "", nil)
		if tt.user != "" {
			req.SetBasicAuth(tt.user, tt.password)
		}
		a := s.do(t, req)
		wantStatus(t, a, tt.status)
		if tt.status == 200 {
			wantParams(t, params(t, a), map[string]string{
				"REMOTE_USER":        "joe",
				"MEMBER_SINCE":       "1996",
				"REMOTE_PASSWD":      "",
				"HTTP_AUTHORIZATION": "",
			})
		}
	}
}

// checkPassword is what passwords.conf needs.
func checkPassword(r *fastcgi.Request) fastcgi.Decision {
	p := r.Params
	switch p.Get("FCGI_APACHE_ROLE") {
	case "AUTHENTICATOR":
		if p.Get("REMOTE_PASSWD") == "secret" {
			return fastcgi.Allow()
		}
	case "AUTHORIZER":
		if p.Get("REMOTE_USER") == "joe" {
			return fastcgi.Allow(fastcgi.Pair{Name: "MEMBER_SINCE", Value: "1996"})
		}
	}
	return fastcgi.Deny(403, "text/plain", "denied\n")
}
