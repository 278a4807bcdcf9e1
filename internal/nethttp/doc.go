// Package nethttp serves FastCGI requests with an http.Handler.
//
// It sits on packages engine, which reads and writes, and cgi, which makes an
// http.Request of variables; only package fastcgi, which is what users see of it,
// imports it. A call is one request; a response holds the head back until it knows
// what the body starts with; a hijackedConn is a request that outlives its handler.
package nethttp
