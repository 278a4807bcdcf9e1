package fastcgi

import "time"

// A Loop runs functions one at a time, together with the callbacks of the
// connections that it owns. They must not block: whatever else happens on the
// loop waits for them.
//
// A function that panics is contained and logged. If the loop is that of an
// Exchange, its request is ended with status 500.
type Loop interface {
	// Post runs f on the loop, after Post has returned. Any goroutine may
	// call it.
	Post(f func())
	// AfterFunc runs f on the loop once d has passed. The function that it
	// returns cancels that, and reports whether it was in time.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}
