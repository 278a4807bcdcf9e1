package fastcgi_test

import (
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

// TestMain fails where tests leave goroutines or descriptors behind. In a process that a test started, it plays the
// part that the test gave it instead.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(playChild(role))
	}
	leak.Main(m)
}
