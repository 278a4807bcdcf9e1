//go:build !linux

package driver

// SeesQueue says whether Queued can tell.
const SeesQueue = false

// Queued cannot tell. BSD's sockets are writable as soon as 2 KiB are free, so that
// they take bytes is all there is to see.
func Queued(uintptr) (n int, ok bool) { return 0, false }
