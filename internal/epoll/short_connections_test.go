//go:build linux

package epoll_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// shortConnections is the variable that says how many there are to be. A million takes two processors five minutes, so go test
// needs a longer -timeout beside other work.
const shortConnections = "FASTCGI_SHORT_CONNECTIONS"

// A descriptor is closed by its owner only, when nobody can still use its number: no byte of a connection ever gets into
// another, and none is cut short, whoever writes, closes or hangs up at whatever moment.
func TestShortConnections(t *testing.T) {
	visits := 20_000
	if s := os.Getenv(shortConnections); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			t.Fatalf("%s: %v", shortConnections, err)
		}
		visits = n
	}
	drivertest.Crowd(t, &epoll.Driver{Loops: 3}, drivertest.Listen(t, "unix"), visits)
}
