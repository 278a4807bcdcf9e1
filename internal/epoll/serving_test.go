//go:build linux

package epoll_test

import (
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// The driver keeps to the rules of the seam, with one loop and with several.
func TestRules(t *testing.T) {
	for name, loops := range map[string]int{"one loop": 1, "several loops": 3} {
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, func(writeTimeout time.Duration) driver.Driver {
				return &epoll.Driver{Loops: loops, WriteTimeout: writeTimeout}
			}, "unix", "tcp")
		})
	}
}

func TestW9RulesWithGoexit(t *testing.T) {
	drivertest.RunExits(t, func(writeTimeout time.Duration) driver.Driver {
		return &epoll.Driver{Loops: 1, WriteTimeout: writeTimeout}
	})
}

// oneLoop is a driver on whose connections everything happens in turn.
func oneLoop() *epoll.Driver { return &epoll.Driver{Loops: 1} }

// serve has d serve a Unix socket; see drivertest.Serve.
func serve(t testing.TB, d *epoll.Driver, prepare func(*drivertest.Conn)) *drivertest.Server {
	t.Helper()
	return drivertest.Serve(t, d, drivertest.Listen(t, "unix"), prepare)
}

// hold keeps the first loop of a server from doing anything until release is called.
func hold(s *drivertest.Server) (release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	s.Driver.(*epoll.Driver).FirstLoop().Post(func() {
		close(held)
		<-released
	})
	<-held
	return func() { close(released) }
}
