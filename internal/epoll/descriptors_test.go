//go:build linux

package epoll_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

// F10: a loop that gets no epoll descriptor does what it was asked for as soon as there is one.
func TestF10EpollCreate(t *testing.T) {
	drivertest.Alone(t, func(t *testing.T) {
		drivertest.Dial(t, drivertest.Listen(t, "unix")) // so that Go's poller has its descriptors
		before := drivertest.TakeInventory()
		d := &epoll.Driver{Loops: 1}
		posted := make(chan struct{}, 2)
		relieve := drivertest.Exhaust(t, 0)
		for range 2 {
			d.FirstLoop().Post(func() { posted <- struct{}{} })
		}
		if n := len(loopStates()); n > 0 {
			t.Errorf("there are %d loops without a descriptor", n)
		}
		relieve()
		for range 2 {
			drivertest.Take(t, posted)
		}
		before.Expect(t)
	})
}

// F10: so it is with listeners, whose connections wait.
func TestF10EpollCreateServe(t *testing.T) {
	drivertest.Alone(t, func(t *testing.T) {
		waiting := drivertest.Unconnected(t, 1)[0]
		l := drivertest.Listen(t, "unix")
		relieve := drivertest.Exhaust(t, 1) // for a descriptor of the listener
		e := drivertest.Serve(t, oneLoop(), l, nil)
		drivertest.Connect(t, waiting, l, "waited")
		expectExhausted(t)
		relieve()
		drivertest.Take(t, e.Conns).ExpectData("waited")
		unix.Close(waiting)
	})
}

// expectExhausted waits until the last descriptor is taken.
func expectExhausted(t *testing.T) {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	drivertest.Eventually(t, "the last descriptor is taken", func() bool {
		_, err := unix.FcntlInt(uintptr(limit.Cur-1), unix.F_GETFD, 0)
		return err == nil
	})
}
