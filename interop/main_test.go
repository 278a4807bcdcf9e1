package interop_test

import (
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

func TestMain(m *testing.M) {
	if part, ok := parts[os.Getenv(partVariable)]; ok {
		fastcgi.Main(part)
		return
	}
	leak.Main(m)
}
