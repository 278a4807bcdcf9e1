package fcgi_test

import (
	"log/slog"
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

// TestMain fails where tests leave goroutines or descriptors behind. In a process that a test started, it is the
// application that the test asked for.
func TestMain(m *testing.M) {
	if name := os.Getenv(childVariable); name != "" {
		os.Exit(playChild(name))
	}
	// Half of the tests are about what goes wrong, and the log says so.
	slog.SetDefault(slog.New(slog.DiscardHandler))
	leak.Main(m)
}
