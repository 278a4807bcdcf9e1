//go:build unix

package listen_test

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// socketPath is a free path in a directory of its own.
func socketPath(t *testing.T) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "s")
}

func TestListenUnix(t *testing.T) {
	for _, scheme := range []string{"unix:", ""} {
		t.Run(scheme+"/path", func(t *testing.T) {
			path := socketPath(t)
			l := mustListen(t, scheme+path, nil)
			if l.Addr().String() != path {
				t.Errorf("Addr is %v, want %s", l.Addr(), path)
			}
			dial(t, l)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, ok := c.(*net.UnixConn); !ok {
				t.Errorf("accepted a %T, want a *net.UnixConn", c)
			}
			l.Close()
			if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("after Close the socket file is still there: %v", err)
			}
		})
	}
}

// A relative path is where it was when the working directory changes before Close.
func TestListenUnixRelative(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	l := mustListen(t, "unix:s", nil)
	t.Chdir(t.TempDir())
	l.Close()
	if _, err := os.Lstat(filepath.Join(dir, "s")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Close the socket file is still there: %v", err)
	}
}

// The mode is as asked, under any umask.
func TestListenUnixMode(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o777} {
		for mode, want := range map[os.FileMode]os.FileMode{0: 0o660, 0o600: 0o600, 0o666: 0o666, 0o777: 0o777, 0o200: 0o200} {
			path := socketPath(t)
			old := syscall.Umask(umask)
			mustListen(t, path, &listen.Options{Mode: mode})
			syscall.Umask(old)
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode() != fs.ModeSocket|want {
				t.Errorf("umask %#o, Mode %#o: file mode %v, want %v", umask, mode, info.Mode(), fs.ModeSocket|want)
			}
		}
	}
}

func TestListenUnixOwner(t *testing.T) {
	if os.Getuid() != 0 {
		required.Missing(t, "only root can give files away")
	}
	tests := []struct {
		name         string
		owner, group string
		uid, gid     uint32
	}{
		{"nothing", "", "", 0, 0},
		{"numbers", "12345", "23456", 12345, 23456},
		{"owner", "12345", "", 12345, 0},
		{"group", "", "23456", 0, 23456},
		{"names", "daemon", "daemon", 1, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := socketPath(t)
			mustListen(t, path, &listen.Options{Owner: tt.owner, Group: tt.group})
			info, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			stat := info.Sys().(*syscall.Stat_t)
			if stat.Uid != tt.uid || stat.Gid != tt.gid {
				t.Errorf("the file belongs to %d:%d, want %d:%d", stat.Uid, stat.Gid, tt.uid, tt.gid)
			}
			if info.Mode().Perm() != listen.DefaultMode {
				t.Errorf("the file has mode %v, want %v", info.Mode().Perm(), listen.DefaultMode)
			}
		})
	}
}

func TestListenUnixUnknownOwner(t *testing.T) {
	path := socketPath(t)
	wantListenError(t, path, &listen.Options{Owner: "no-such-user"}, `owner "no-such-user"`)
	wantListenError(t, path, &listen.Options{Group: "no-such-group"}, `group "no-such-group"`)
	wantListenError(t, path, &listen.Options{Owner: "-1"}, `owner "-1"`)
	wantEmptyDirectory(t, filepath.Dir(path))
}

func wantEmptyDirectory(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) > 0 {
		t.Errorf("in the directory: %v, %v; want nothing", entries, err)
	}
}

// makeStale leaves a socket file on which nothing answers.
func makeStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
}

func TestListenUnixStaleFile(t *testing.T) {
	path := socketPath(t)
	makeStale(t, path)
	dial(t, mustListen(t, path, nil))
}

func TestListenUnixLiveFile(t *testing.T) {
	path := socketPath(t)
	first := mustListen(t, path, nil)
	wantListenError(t, path, nil, "already in use")
	dial(t, first)
}

// A live socket that cannot take another connection is not taken for a dead one.
func TestListenUnixLiveFileOfOtherType(t *testing.T) {
	path := socketPath(t)
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	wantListenError(t, path, nil, "already in use")
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the live socket's file: %v", err)
	}
}

// A file that is no socket is never deleted.
func TestListenUnixNotASocket(t *testing.T) {
	makers := map[string]func(path string) error{
		"file":      func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"fifo":      func(path string) error { return unix.Mkfifo(path, 0o600) },
		"dangling link": func(path string) error {
			return os.Symlink(filepath.Join(filepath.Dir(path), "nothing"), path)
		},
		"link to a stale socket": func(path string) error {
			makeStale(t, path+".stale")
			return os.Symlink(path+".stale", path)
		},
	}
	for name, make := range makers {
		t.Run(name, func(t *testing.T) {
			path := socketPath(t)
			if err := make(path); err != nil {
				t.Fatal(err)
			}
			before, err := os.Lstat(path)
			if err != nil {
				t.Fatal(err)
			}
			wantListenError(t, path, nil, "is not a socket")
			after, err := os.Lstat(path)
			if err != nil || !os.SameFile(before, after) {
				t.Errorf("the file was touched: %v", err)
			}
		})
	}
}

func TestListenUnixBadPath(t *testing.T) {
	dir := t.TempDir()
	longest := len(syscall.RawSockaddrUnix{}.Path) - 1
	wantListenError(t, dir+"/", nil, "is a directory")
	wantListenError(t, dir+"/missing/s", nil, "there is no directory "+dir+"/missing/")
	wantListenError(t, padded(dir, longest+1), nil, "choose a shorter one")
	wantEmptyDirectory(t, dir)
	for _, length := range []int{longest - 1, longest} {
		dial(t, mustListen(t, padded(dir, length), nil))
	}
}

// padded is a path in dir of the given length.
func padded(dir string, length int) string {
	return dir + "/" + strings.Repeat("s", length-len(dir)-1)
}

// Close removes the socket file only while it is the listener's own.
func TestCloseForeignFile(t *testing.T) {
	path := socketPath(t)
	first := mustListen(t, path, nil)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	second := mustListen(t, path, nil)
	first.Close()
	dial(t, second)
}

// Closing what is beneath leaves the file, for a process that has handed the socket on.
func TestCloseUnwrapped(t *testing.T) {
	path := socketPath(t)
	mustListen(t, path, nil).Unwrap().Close()
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the socket file is gone: %v", err)
	}
}

// Of several programs that start on one stale file, exactly one gets it, and the others are told.
func TestListenUnixTogether(t *testing.T) {
	const rounds, programs = 50, 4
	for range rounds {
		path := socketPath(t)
		makeStale(t, path)
		var winner atomic.Pointer[listen.Listener]
		var start, done sync.WaitGroup
		start.Add(1)
		for range programs {
			done.Go(func() {
				start.Wait()
				l, err := listen.Listen(path, nil)
				switch {
				case err != nil && !strings.Contains(err.Error(), "already in use"):
					t.Error(err)
				case err == nil && !winner.CompareAndSwap(nil, l.(*listen.Listener)):
					t.Error("two listeners on one path")
					l.Close()
				}
			})
		}
		start.Done()
		done.Wait()
		checkAnswers(t, winner.Load())
	}
}

// checkAnswers checks that whoever connects to l's path reaches l, and closes l.
func checkAnswers(t *testing.T, l *listen.Listener) {
	t.Helper()
	if l == nil {
		t.Fatal("no listener at all")
	}
	client := dial(t, l)
	defer client.Close()
	var answering sync.WaitGroup
	answering.Go(func() {
		for { // the first connections are those with which the others found the path in use
			c, err := l.Accept()
			if err != nil {
				return
			}
			io.WriteString(c, "hello") // those have gone
			c.Close()
		}
	})
	if got, err := io.ReadAll(client); err != nil || string(got) != "hello" {
		t.Errorf("read %q, %v; want hello", got, err)
	}
	l.Close()
	answering.Wait()
}
