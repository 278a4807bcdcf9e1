//go:build unix && !aix && (!solaris || illumos)

package listen_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A directory that is locked for another purpose does not keep a program from starting.
func TestListenUnixDirectoryLocked(t *testing.T) {
	path := socketPath(t)
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dial(t, mustListen(t, path, nil))
}
