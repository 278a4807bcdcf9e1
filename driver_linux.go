package fastcgi

import (
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

const hasLoop = true

func newLoopDriver(writeTimeout time.Duration) driver.Driver {
	return &epoll.Driver{WriteTimeout: writeTimeout}
}

// loopServes reports whether the loop driver may serve l. It accepts on the
// socket itself, so a type that embeds one of these and has an Accept of its own,
// to refuse or wrap connections, is not for it.
func loopServes(l net.Listener) bool {
	switch l.(type) {
	case *net.TCPListener, *net.UnixListener, *listen.Listener:
		return epoll.Serves(l)
	}
	return false
}
