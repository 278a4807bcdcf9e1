//go:build linux

package epoll

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

const (
	// readSize is how much is read from a connection in one turn, in bytes.
	// All connections of a loop share the buffer.
	readSize = 64 << 10
	// maxEvents is how many events are fetched at once.
	maxEvents = 256
)

// A loop serves connections one event at a time. It has a goroutine while it
// has connections, listeners or posted functions, and none otherwise.
//
// Its goroutine does not block in epoll_wait. The epoll descriptor is itself
// watched by Go's poller, so while nothing happens the goroutine is parked like
// any other, and holds neither a thread nor a processor.
type loop struct {
	driver *Driver

	mu      sync.Mutex
	posts   []func()
	changed []*socket // whose deadline, pause or closing is to be acted on
	asleep  bool      // parked, or about to be: has to be woken
	running bool
	file    *os.File // the epoll descriptor, in Go's poller

	// Owned by the loop's goroutine.
	epoll   int
	raw     syscall.RawConn
	fetch   func(fd uintptr) bool
	events  [maxEvents]unix.EpollEvent
	fetched int
	handled int // of those fetched
	table   table
	sources []*source
	fresh   []*socket // accepted, and not watched by epoll yet
	ready   []*socket // may have more to read
	turn    []*socket // of those, the ones whose turn is to come
	doing   work
	timers  timers
	alarm   driver.Instant // when Go's poller wakes the loop; zero: not
	now     driver.Instant // when the events were fetched
	backoff driver.Backoff
	peer    sockaddr // of the connection accepted last
	buf     []byte

	spare work // the arrays of posts and changed while the others are at work
}

// work is what others have given to a loop.
type work struct {
	posts   []func()
	changed []*socket
}

func newLoop(d *Driver) *loop {
	l := &loop{driver: d}
	l.fetch = func(fd uintptr) bool {
		n, err := epollWait(fd, l.events[:])
		l.fetched = 0
		if err == 0 {
			l.fetched = n
		}
		return n > 0 || err != 0 && err != unix.EINTR
	}
	return l
}

// Post implements driver.Loop.
func (l *loop) Post(f func()) { l.do(f) }

// do runs f on the loop.
func (l *loop) do(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.posts = append(l.posts, f)
	l.wake()
}

// markDirty has the loop act on what was asked of s.
func (l *loop) markDirty(s *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !s.dirty {
		s.dirty = true
		l.changed = append(l.changed, s)
	}
	l.wake()
}

// wake gets the loop out of its sleep. It is called with mu held.
func (l *loop) wake() {
	switch {
	case !l.running:
		l.start()
	case l.asleep:
		l.asleep = false
		// A deadline that has passed wakes a parked reader, without a system
		// call.
		_ = l.file.SetReadDeadline(longAgo)
	}
}

var longAgo = time.Unix(1, 0)

// start starts the goroutine. It is called with mu held.
func (l *loop) start() {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err == nil {
		// Only non-blocking files are given to Go's poller.
		err = unix.SetNonblock(epoll, true)
	}
	if err != nil {
		// Out of descriptors, which passes.
		time.AfterFunc(startAgain, l.retry)
		return
	}
	l.epoll = epoll
	l.file = os.NewFile(uintptr(epoll), "epoll")
	// It fails on closed files only.
	l.raw, _ = l.file.SyscallConn()
	l.alarm = 0
	l.now = driver.Now()
	l.running = true
	go l.run()
}

// startAgain is how long a loop waits for a descriptor to become free.
const startAgain = 100 * time.Millisecond

func (l *loop) retry() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wake()
}

// run is the loop. A callback may end its goroutine (runtime.Goexit): what is left to
// do is in the loop's fields, and another goroutine does it.
func (l *loop) run() {
	over := false
	defer func() {
		if !over {
			go l.run()
		}
	}()
	for {
		l.handleEvents()
		l.readReady()
		// The handlers that were started go first: many finish at once, and
		// their connections then need no more attention.
		runtime.Gosched()
		l.handleChanges()
		l.registerFresh()
		l.runTimers()
		if !l.sleep() {
			over = true
			return
		}
		l.now = driver.Now()
	}
}

// handleChanges does what was asked of sockets, and what was posted. What comes meanwhile has to wait
// for the next turn, so that it does not starve the connections.
func (l *loop) handleChanges() {
	l.finishWork() // what a goroutine before this one has left
	l.mu.Lock()
	w := work{l.posts, l.changed}
	l.posts, l.changed = l.spare.posts[:0], l.spare.changed[:0]
	l.spare = work{}
	for _, s := range w.changed {
		s.dirty = false
	}
	l.mu.Unlock()
	l.doing = w
	l.finishWork()
	clear(w.changed)
	clear(w.posts)
	l.spare = w
}

// finishWork does what the loop was given.
func (l *loop) finishWork() {
	w := &l.doing
	for len(w.changed) > 0 {
		s := w.changed[0]
		w.changed = w.changed[1:]
		s.applyChanges()
	}
	for len(w.posts) > 0 {
		f := w.posts[0]
		w.posts = w.posts[1:]
		f()
	}
}

// sleep fetches events, and waits if there is nothing else to do. It returns
// false if the loop is not needed any more.
func (l *loop) sleep() bool {
	l.fetched = 0
	if len(l.ready) > 0 || len(l.fresh) > 0 {
		l.fetch(uintptr(l.epoll))
		return true
	}
	// Before asleep is set, so that it does not undo a wake-up.
	l.setAlarm()
	l.mu.Lock()
	if len(l.posts)+len(l.changed) > 0 {
		l.mu.Unlock()
		l.fetch(uintptr(l.epoll))
		return true
	}
	if l.table.len() == 0 && len(l.sources) == 0 {
		l.stop()
		l.mu.Unlock()
		return false
	}
	l.asleep = true
	l.mu.Unlock()
	err := l.raw.Read(l.fetch)
	l.mu.Lock()
	l.asleep = false
	l.mu.Unlock()
	if err != nil {
		// The deadline: a timer, or a wake-up. It has to be set anew.
		l.alarm = 0
		_ = l.file.SetReadDeadline(time.Time{})
	}
	return true
}

// stop ends the goroutine. It is called with mu held.
func (l *loop) stop() {
	l.running = false
	l.file.Close()
	l.buf = nil
}

// handleEvents acts on the events that were fetched.
func (l *loop) handleEvents() {
	for l.handled < l.fetched {
		ev := &l.events[l.handled]
		l.handled++
		if ev.Fd < 0 {
			l.accept(l.sources[^ev.Fd])
			continue
		}
		if s := l.table.get(ev.Fd, ev.Pad); s != nil {
			s.event(ev.Events)
		}
	}
	l.fetched, l.handled = 0, 0
}

// readReady gives each connection that may have more to read its turn.
func (l *loop) readReady() {
	if len(l.turn) == 0 { // else a goroutine before this one has left some
		l.turn, l.ready = l.ready, nil
	}
	for len(l.turn) > 0 {
		s := l.turn[0]
		l.turn = l.turn[1:]
		s.queued = false
		s.receive()
	}
}
