package fastcgi

import (
	"fmt"
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/goroutine"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/plaincgi"
)

// A Driver is a way to move bytes between sockets and requests. Handlers cannot
// tell which one runs.
type Driver string

const (
	// DriverAuto is DriverLoop where that works, and DriverGoroutine elsewhere.
	DriverAuto Driver = "auto"
	// DriverGoroutine serves any net.Listener on any system, with a goroutine
	// for each connection.
	DriverGoroutine Driver = "goroutine"
	// DriverLoop serves TCP and Unix sockets on Linux, with an event loop for
	// each processor and no goroutine for a connection. It does not serve TLS.
	DriverLoop Driver = "loop"
)

// check returns why d cannot be used here.
func (d Driver) check() error {
	switch d {
	case "", DriverAuto, DriverGoroutine:
		return nil
	case DriverLoop:
		if !hasLoop {
			return fmt.Errorf("fastcgi: the driver %q works on Linux only; %q picks what works", d, DriverAuto)
		}
		return nil
	}
	return fmt.Errorf("fastcgi: there is no driver %q; choose %q, %q or %q", d, DriverAuto, DriverGoroutine, DriverLoop)
}

// drivers are the drivers that a server may use.
type drivers struct {
	choice    Driver
	goroutine driver.Driver
	epoll     driver.Driver // nil where there is none
}

func newDrivers(choice Driver, writeTimeout time.Duration) drivers {
	return drivers{
		choice:    choice,
		goroutine: &goroutine.Driver{WriteTimeout: writeTimeout},
		epoll:     newLoopDriver(writeTimeout),
	}
}

// forListener returns the driver for l.
func (d drivers) forListener(l net.Listener) (driver.Driver, error) {
	_, cgi := l.(*plaincgi.Listener)
	switch {
	case d.choice == DriverGoroutine || cgi:
		return d.goroutine, nil
	case loopServes(l):
		return d.epoll, nil
	case d.choice == DriverLoop && listen.Scheme(l) == "tls":
		return nil, fmt.Errorf("fastcgi: the loop driver cannot serve TLS, which it would bypass on the descriptor; "+
			"use %q or %q", DriverAuto, DriverGoroutine)
	case d.choice == DriverLoop:
		return nil, fmt.Errorf("fastcgi: the loop driver cannot serve a listener of type %T; use %q", l, DriverAuto)
	}
	return d.goroutine, nil
}

// preferred returns the driver for what has no listener.
func (d drivers) preferred() driver.Driver {
	if d.choice == DriverGoroutine || d.epoll == nil {
		return d.goroutine
	}
	return d.epoll
}

// stop tells the drivers that l is about to be closed.
func (d drivers) stop(l net.Listener) {
	d.goroutine.Stop(l)
	if d.epoll != nil {
		d.epoll.Stop(l)
	}
}
