package fastcgitest_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }
