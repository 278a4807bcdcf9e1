package listen_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestListenAbstract(t *testing.T) {
	const addr = "unix:@fastcgi-listen-test"
	l := mustListen(t, addr, nil)
	if got := l.Addr().String(); got != addr[len("unix:"):] {
		t.Errorf("Addr is %s", got)
	}
	dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	wantListenError(t, addr, nil, "address already in use")
	l.Close()
	for _, opts := range []listen.Options{{Mode: 0o600}, {Owner: "0"}, {Group: "0"}} {
		wantListenError(t, addr, &opts, "are for socket files")
	}
}

// Nobody whom the mode does not admit gets through at any instant of the socket's life: another user tries all the
// while sockets come and go under the widest umask.
func TestListenUnixNeverWider(t *testing.T) {
	if os.Getuid() != 0 {
		required.Missing(t, "only root can try as another user")
	}
	path := socketPath(t)
	for _, dir := range []string{filepath.Dir(path), filepath.Dir(filepath.Dir(path))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	defer syscall.Umask(syscall.Umask(0))
	intruder := startIntruder(path)
	const rounds = 1000
	for range rounds {
		l, err := listen.Listen(path, &listen.Options{Mode: 0o600})
		if err != nil {
			t.Error(err)
			break
		}
		// Each socket is there for some attempts, whoever of the two is given the processor.
		for range 2 {
			<-intruder.attempts
		}
		l.Close()
	}
	close(intruder.stop)
	for range intruder.attempts {
	}
	if intruder.err != nil {
		t.Error(intruder.err)
	}
}

// An intruder connects to a path again and again as a user who has no rights.
type intruder struct {
	stop     chan struct{} // test -> run
	attempts chan struct{} // run -> test: one made; closed when there will be no more
	err      error         // why it ended early; valid once attempts is closed
}

func startIntruder(path string) *intruder {
	i := &intruder{stop: make(chan struct{}), attempts: make(chan struct{}, 1)}
	go i.run(path)
	return i
}

func (i *intruder) run(path string) {
	defer close(i.attempts)
	runtime.LockOSThread() // and never unlock: the thread, which has lost its rights, ends with the goroutine
	const nobody = 65534
	if i.err = errors.Join(syscall.Setfsgid(nobody), syscall.Setfsuid(nobody)); i.err != nil {
		return
	}
	for {
		switch err := connectTo(path); err {
		case syscall.ENOENT, syscall.ECONNREFUSED, syscall.EACCES:
		case nil:
			i.err = errors.New("a user whom mode 0600 does not admit has connected")
			return
		default:
			i.err = fmt.Errorf("connect: %w", err)
			return
		}
		select {
		case <-i.stop:
			return
		case i.attempts <- struct{}{}:
		default: // the test is busy with a socket's birth or death, the moments to try most
		}
	}
}

// connectTo is a connection attempt on this very thread; package net may make it on another one.
func connectTo(path string) error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return syscall.Connect(fd, &syscall.SockaddrUnix{Name: path})
}
