// Package pocketbase tests that an application of some size that others wrote can
// be served through the drop-in for net/http/fcgi, by changing the line in which it
// serves its listener. It is PocketBase: a database with files, users and events,
// and with a dashboard that is a program of its own in the browser.
//
// The package itself is what builds the programs, for the tests and for `make programs`.
//
// It is a module of its own, so that no user of the library meets PocketBase.
package pocketbase
