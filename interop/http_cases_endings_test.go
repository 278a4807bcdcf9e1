package interop_test

import (
	"io"
	"net/http"
)

const (
	errorPage  = "the web server gets an error page rather than nothing, for which it would have one that says Bad Gateway"
	onlyStatus = "what ends without the length that it announced is broken off; without one, there is only the appStatus, at which web servers do not look"
)

// endingCases are about handlers that end before their responses do.
var endingCases = []httpCase{
	{name: "panic", handler: func(http.ResponseWriter, *http.Request) []any { panic("oops") }, differs: []difference{{"", "response", errorPage}}},
	{name: "panic after a write", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "partial")
		panic("oops")
	}, differs: []difference{{"", "response", errorPage}}},
	{name: "panic after a flush", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		panic("oops")
	}, differs: []difference{{webServers, "end", onlyStatus}}},
	{name: "abort", handler: func(http.ResponseWriter, *http.Request) []any { panic(http.ErrAbortHandler) }, differs: []difference{{"", "response", errorPage}}},
	{name: "abort after a write", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "partial")
		panic(http.ErrAbortHandler)
	}, differs: []difference{{"", "response", errorPage}}},
	{name: "abort after a flush", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, differs: []difference{{webServers, "end", onlyStatus}}},
	{name: "abort within a length", handler: func(w http.ResponseWriter, _ *http.Request) []any {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "partial")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}},
	{name: "shorter than its length", handler: respond(http.Header{"Content-Length": {"100"}}, "partial")},
}
