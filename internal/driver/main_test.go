package driver_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

// TestMain fails where tests leave goroutines behind.
func TestMain(m *testing.M) { leak.Main(m) }
