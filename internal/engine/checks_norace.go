//go:build !race

package engine

// checking is off: see the race build's.
const checking = false
