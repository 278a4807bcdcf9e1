package fastcgi

import (
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

const hasLoop = true

func newLoopDriver(writeTimeout time.Duration) driver.Driver {
	return &epoll.Driver{WriteTimeout: writeTimeout}
}

func loopServes(l net.Listener) bool { return epoll.Serves(l) }
