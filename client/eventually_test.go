package client_test

import (
	"testing"
	"time"
)

// eventually waits for a condition that nothing announces.
func eventually(t *testing.T, complaint string, cond func() bool) {
	t.Helper()
	for range 2000 {
		if cond() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal(complaint)
}
