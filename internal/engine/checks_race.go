//go:build race

package engine

// checking is on where tests run: what cannot happen panics there, and is passed
// over elsewhere.
const checking = true
