package client_test

import (
	"testing"
	"time"
)

// giveUp is how long anything may take before a test gives up on it.
const giveUp = 20 * time.Second

// eventually waits until something has come true that nothing announces. It asks seldom enough for what takes a connection.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for start := time.Now(); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > giveUp {
			t.Fatalf("gave up waiting until %s", what)
		}
	}
}
