package drivertest

import (
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A rule is something that every driver promises.
type rule struct {
	name  string
	where func(network string) bool
	test  func(t *testing.T, p place)
}

// anywhere is for what every connection can.
func anywhere(string) bool { return true }

// sockets is for what pipes cannot: closing one half, buffering, being accepted by the system.
func sockets(network string) bool { return network != "pipe" }

// whereHangups is for what takes a system that tells of the end behind unread bytes.
func whereHangups(network string) bool { return sockets(network) && runtime.GOOS == "linux" }

// rules are all that is promised, besides what a Conn checks at each call, whatever the test is about.
func rules() []rule {
	var all []rule
	for _, some := range [][]rule{
		acceptRules, descriptorRules, receiveRules, pauseRules, closeRules, sendRules, writeTimeoutRules, deadlineRules, postRules,
	} {
		all = append(all, some...)
	}
	return all
}

// A place is where a rule is tested.
type place struct {
	network   string // "pipe", "unix", "tcp" or "tls"
	exits     bool   // each call ends its goroutine; see Conn.Exits
	newDriver func(writeTimeout time.Duration) driver.Driver
}

// serve has a new driver without a WriteTimeout accept connections until the test ends.
func (p place) serve(t *testing.T, prepare func(*Conn)) *Server {
	t.Helper()
	return Serve(t, p.newDriver(0), Listen(t, p.network), p.prepare(prepare))
}

// prepare returns a Server's prepare for the place.
func (p place) prepare(more func(*Conn)) func(*Conn) {
	if !p.exits {
		return more
	}
	return func(c *Conn) {
		c.Exits = true
		if more != nil {
			more(c)
		}
	}
}

// open makes one connection.
func (p place) open(t *testing.T) (*Conn, net.Conn) {
	t.Helper()
	return p.serve(t, nil).Open()
}

// Run tests that the drivers that newDriver makes keep to every rule, with connections of each network that can have it.
func Run(t *testing.T, newDriver func(writeTimeout time.Duration) driver.Driver, networks ...string) {
	for _, network := range networks {
		t.Run(network, func(t *testing.T) {
			place{network: network, newDriver: newDriver}.run(t)
		})
	}
}

// RunExits tests that the rules hold also if all that the driver calls ends its goroutine.
func RunExits(t *testing.T, newDriver func(writeTimeout time.Duration) driver.Driver) {
	place{network: "unix", newDriver: newDriver, exits: true}.run(t)
}

// run tests the rules that hold at the place.
func (p place) run(t *testing.T) {
	for _, r := range rules() {
		if r.where(p.network) {
			t.Run(r.name, func(t *testing.T) { r.test(t, p) })
		}
	}
}
