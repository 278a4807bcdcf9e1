package pocketbase_test

import (
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

// patience is how long anything may take before a test gives up on it.
const patience = 60 * time.Second

// eventually waits for a condition, and fails the test if it does not come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return
		}
	}
	t.Fatalf("gave up waiting: %s", what)
}
