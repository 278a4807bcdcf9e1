package listen_test

import (
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
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

// A TCP peer has no uid: the option cannot be kept, so it is not taken.
func TestAllowUIDsOnTCP(t *testing.T) {
	wantListenError(t, "127.0.0.1:0", &listen.Options{AllowUIDs: []int{0}}, "use a Unix socket")
}

// A descriptor whose peer cannot be told is refused, whatever the list.
func TestAllowUIDsUnknown(t *testing.T) {
	guard := mustListen(t, "unix:"+t.TempDir()+"/s", &listen.Options{AllowUIDs: []int{0, -1, 1<<32 - 1}}).Guard()
	f := openFile(t)
	if err := guard.Check(nil, f.Fd()); err == nil {
		t.Error("a file is admitted as a peer")
	}
}
