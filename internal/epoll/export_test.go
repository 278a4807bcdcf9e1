//go:build linux

package epoll

import "github.com/simple-fastcgi/fastcgi/internal/driver"

// Descriptor returns the descriptor of a socket of this driver's. It is for the loop to call.
func Descriptor(s driver.Socket) int { return int(s.(*socket).fd) }

// FirstLoop returns one of the loops that serve connections: the only one, if there is one.
func (d *Driver) FirstLoop() driver.Loop {
	d.init()
	return d.loops[0]
}

// Due returns when the loop is to look at a socket again, whatever happens. It is for the loop to call.
func Due(s driver.Socket) driver.Instant { return s.(*socket).nextDue() }

// AllStarted reports whether all loops that serve connections run.
func (d *Driver) AllStarted() bool {
	d.init()
	for _, l := range d.loops {
		l.mu.Lock()
		running := l.running
		l.mu.Unlock()
		if !running {
			return false
		}
	}
	return true
}
