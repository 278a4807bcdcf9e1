package main

import (
	"github.com/simple-fastcgi/fastcgi"
)

// decide is the probe as an authorizer.
func decide(p fastcgi.Params) fastcgi.Decision {
	if p.Get("HTTP_X_TOKEN") == "let-me-in" {
		return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: "probe"})
	}
	return fastcgi.Deny(403, "text/plain", "denied\n")
}

type syncAuthorizer struct{ tally *tally }

// Authorize implements fastcgi.Authorizer.
func (a syncAuthorizer) Authorize(r *fastcgi.Request) fastcgi.Decision {
	a.tally.begin()
	defer a.tally.end(r)
	return decide(r.Params)
}

type asyncAuthorizer struct{ tally *tally }

// ServeAsync implements fastcgi.AsyncHandler.
func (a asyncAuthorizer) ServeAsync(ex fastcgi.Exchange) {
	c := newCall(ex, a.tally)
	// It fails if the web server does not take the answer any more.
	_ = decide(ex.Params()).Send(ex)
	c.finish()
}
