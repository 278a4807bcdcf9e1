//go:build !linux

package fastcgi

import (
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

const hasLoop = false

func newLoopDriver(time.Duration) driver.Driver { return nil }

func loopServes(net.Listener) bool { return false }
