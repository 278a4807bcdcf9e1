package listen_test

import (
	"os"
	"runtime"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestAllowUIDs(t *testing.T) {
	self := os.Getuid()
	for _, addr := range []string{"unix:" + t.TempDir() + "/s", "unix:@fastcgi-listen-test-uids"} {
		t.Run(addr, func(t *testing.T) {
			l := mustListen(t, addr, &listen.Options{AllowUIDs: []int{self + 1, self}})
			dial(t, l)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			l.Close()

			for _, uids := range [][]int{{self + 1}, {}} {
				var told refusals
				l := mustListen(t, addr, &listen.Options{AllowUIDs: uids, Refused: told.add})
				wantRefused(t, l, dial(t, l), &told, "is not in AllowUIDs")
			}
		})
	}
}

// What counts is the uid of the peer, not that of this process.
func TestAllowUIDsOtherUser(t *testing.T) {
	if os.Getuid() != 0 {
		required.Missing(t, "only root can connect as another user")
	}
	const addr, uid = "unix:@fastcgi-listen-test-user", 12345
	l := mustListen(t, addr, &listen.Options{AllowUIDs: []int{uid}})
	connectAs(t, uid, addr[len("unix:"):])
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	l.Close()

	l = mustListen(t, addr, &listen.Options{AllowUIDs: []int{0}})
	connectAs(t, uid, addr[len("unix:"):])
	c, err = l.Unwrap().Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if l.Permits(c) == nil {
		t.Errorf("uid %d is permitted, and only 0 is listed", uid)
	}
}

// connectAs connects as another user and goes away.
func connectAs(t *testing.T, uid uintptr, path string) {
	t.Helper()
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread, which alone changes its user, ends with the goroutine
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, uid, uid, uid); errno != 0 {
			result <- errno
			return
		}
		result <- connectTo(path)
	}()
	if err := <-result; err != nil {
		t.Fatal(err)
	}
}

// A TCP peer has no uid: the option cannot be kept, so it is not taken.
func TestAllowUIDsOnTCP(t *testing.T) {
	wantListenError(t, "127.0.0.1:0", &listen.Options{AllowUIDs: []int{0}}, "use a Unix socket")
}

// A descriptor whose peer cannot be told is refused, whatever the list.
func TestAllowUIDsUnknown(t *testing.T) {
	guard := mustListen(t, "unix:"+t.TempDir()+"/s", &listen.Options{AllowUIDs: []int{0, -1}}).Guard()
	f := openFile(t)
	if err := guard.Check(nil, f.Fd()); err == nil {
		t.Error("a file is admitted as a peer")
	}
}
