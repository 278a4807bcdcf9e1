//go:build unix

package listen_test

import (
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

// TestMain runs the tests, or, in a process that a test has started, the part of the child.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		runChild(role)
		os.Exit(0)
	}
	leak.Main(m)
}
