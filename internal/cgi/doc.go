// Package cgi is what FastCGI takes over from CGI: how header fields and
// variables map to each other, which names and values may cross, what http.Request
// the variables of a request make and what variables an http.Request makes, and the
// header block that a response starts with.
//
// Everything here is pure: strings and bytes in, values or errors out. Only
// [Site.Locate] looks for files, and only if it is to. The gateway,
// client.Transport, the net/http adapter and SendResponse share it, so that both
// ends follow the same rules. It sits on package protocol, for name-value pairs, and the
// standard library.
//
// See RFC 3875 (CGI/1.1).
package cgi
