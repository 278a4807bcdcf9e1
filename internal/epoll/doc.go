// Package epoll is the driver for Linux: a few event loops, each with an epoll
// descriptor, serve all connections of TCP and Unix listeners.
//
// It sits on package driver, and on package listen, whose listeners say who may
// connect; only package fastcgi imports it. A connection lives and dies on one loop. Accepted sockets are read at once, so most of those that
// carry one request are gone before epoll would have heard of them. Handlers'
// goroutines write straight to the socket; what it does not take waits for the
// loop. Only the loop closes a descriptor, and everybody else uses it under the
// socket's mutex, so its number cannot be used for a connection that came later.
package epoll
