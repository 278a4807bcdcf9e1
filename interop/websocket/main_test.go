package websocket_test

import (
	"os"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

func TestMain(m *testing.M) {
	if os.Getenv(playEcho) != "" {
		echoProgram()
		return
	}
	leak.Main(m)
}

// patience is how long anything may take before a test gives up on it.
const patience = 60 * time.Second

// receive takes a value from a channel that something else sends to, or closes.
func receive[T any](t *testing.T, ch <-chan T) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(patience):
		t.Fatal("gave up waiting")
		panic("unreachable")
	}
}
