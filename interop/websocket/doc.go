// Package websocket tests that applications made with this module can speak
// WebSocket with the world: with the libraries that Go programs do it with, behind
// the web servers that pass it on, to programs and to a browser.
//
// It is a module of its own, so that no user of the library meets those
// libraries.
package websocket
