// Package engine serves requests: it is everything between a driver, which moves
// bytes, and a handler, which answers.
//
// It sits on packages protocol and driver and knows neither the public API nor
// net/http: package fastcgi gives it functions to call, and package nethttp makes
// an http.Handler one of those. An [Engine] has the settings and the connections;
// a conn is one connection, an exchange one request on it with its response. A
// handler holds a [Ref], which names a request and outlives it without harm; a
// [Call] is a Ref for a goroutine that may wait. Only those two packages import it.
// docs/architecture.md has the way of a request through its files.
//
// # Who owns what
//
// The state of a connection and of the requests on it is guarded by the mutex of
// that connection. Whoever takes it (conn.enter, Ref.enter) gives it back with
// leave, which is also where everything happens that must not happen under a
// mutex: sending, closing, logging, waking others. Callbacks run on the
// connection's loop without the mutex.
//
// # The order of locks
//
// A goroutine that holds one of these takes only ones further down:
//
//	fastcgi.Server.mu     the listeners that are served
//	Engine.mu             the set of connections
//	conn.mu               a connection, its exchanges, their input and output
//	limiter.mu            who waits for MaxConcurrency
//	memory.mu             who waits for memory
//	workers.mu            idle goroutines
//	the drivers' own      what a loop is to do next
//
// Nothing is sent, closed, logged, written to disk or read from it, and no code of
// the application's is called, but for the functions of Server.Values, while one of
// the engine's is held. Server.mu is held while listeners are closed, and a driver
// holds a socket's mutex over calls that do not block.
package engine
