// Package caddyfcgi is a module for Caddy: with it, reverse_proxy asks FastCGI
// applications through package client, which keeps connections, shares them, and
// tells applications of clients that go away.
//
//	reverse_proxy unix//run/app.sock {
//		transport fcgi
//	}
//
// It takes all that Caddy's own `transport fastcgi` takes. `php_fcgi` is to it what
// php_fastcgi is to Caddy's.
//
// The package is imported for its side effect, by what xcaddy makes. It is a module
// of its own, so that no user of the library meets Caddy's dependencies.
package caddyfcgi
