//go:build linux

package epoll

import (
	"cmp"
	"errors"
	"net"
	"os"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// A Driver serves listeners with event loops.
type Driver struct {
	// WriteTimeout is how long the peer may take nothing of what is written to
	// it. Zero means for ever.
	WriteTimeout time.Duration
	// Loops is how many loops there are; zero means one for each processor
	// that Go uses.
	Loops int

	once  sync.Once
	loops []*loop
	queue driver.Queue

	mu      sync.Mutex
	serving map[net.Listener]chan struct{} // closed by Stop
}

// Serves reports whether the driver can serve l: a TCP or Unix socket.
func Serves(l net.Listener) bool {
	switch l.Addr().Network() {
	case "tcp", "unix":
		_, ok := listen.Fd(l)
		return ok
	}
	return false
}

func (d *Driver) init() {
	d.once.Do(func() {
		n := d.Loops
		if n <= 0 {
			n = runtime.GOMAXPROCS(0)
		}
		for range n {
			d.loops = append(d.loops, newLoop(d))
		}
	})
}

// Serve accepts connections on all loops until Stop is called, l closed, or
// accepting fails with an error that will not pass.
func (d *Driver) Serve(l net.Listener, a driver.Acceptor) error {
	d.init()
	fd, err := duplicate(l)
	if err != nil {
		return err
	}
	src := &source{fd: fd, acceptor: a, network: l.Addr().Network(), failed: make(chan error, 1)}
	if g, ok := l.(interface{ Guard() *listen.Guard }); ok {
		src.guard = g.Guard()
	}
	stop := d.begin(l)
	defer d.end(l)
	for _, lp := range d.loops {
		lp.do(func() { lp.listen(src) })
	}
	err = waitClosed(l, stop, src.failed)
	var ended sync.WaitGroup
	for _, lp := range d.loops {
		ended.Add(1)
		lp.do(func() { lp.unlisten(src); ended.Done() })
	}
	ended.Wait()
	return errors.Join(err, unix.Close(fd))
}

// duplicate returns a descriptor of l's socket that is the loops' own: l may be
// closed at any time, and its number used for something else.
func duplicate(l net.Listener) (fd int, err error) {
	closed := listen.Control(l, func(number uintptr) {
		fd, err = unix.FcntlInt(number, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err = cmp.Or(closed, os.NewSyscallError("fcntl", err)); err != nil {
		return -1, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return -1, errors.Join(os.NewSyscallError("fcntl", err), unix.Close(fd))
	}
	return fd, nil
}

// begin notes that l is served.
func (d *Driver) begin(l net.Listener) chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.serving == nil {
		d.serving = make(map[net.Listener]chan struct{})
	}
	stop := make(chan struct{})
	d.serving[l] = stop
	return stop
}

func (d *Driver) end(l net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.serving, l)
}

// Stop implements driver.Driver.
func (d *Driver) Stop(l net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if stop, ok := d.serving[l]; ok {
		close(stop)
		delete(d.serving, l)
	}
}

// closedInterval is how often a listener is asked whether somebody has closed it
// without Stop.
const closedInterval = 250 * time.Millisecond

// waitClosed waits until stop is closed, or l, or accepting has failed.
func waitClosed(l net.Listener, stop <-chan struct{}, failed <-chan error) error {
	tick := time.NewTicker(closedInterval)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return net.ErrClosed
		case err := <-failed:
			return err
		case <-tick.C:
			if _, ok := listen.Fd(l); !ok {
				return net.ErrClosed
			}
		}
	}
}

// Loop implements driver.Driver.
func (d *Driver) Loop() driver.Loop { return &d.queue }
