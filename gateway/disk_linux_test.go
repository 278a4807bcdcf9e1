package gateway_test

import (
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// F12: a full disk is told as one.
func TestF12NoSpace(t *testing.T) {
	if os.Getuid() != 0 {
		required.Missing(t, "mounting a small file system takes root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		required.Missing(t, "no small file system here: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	f := scripted(t, &gateway.Handler{SpoolMemory: 10, SpoolDir: dir}, lengths)
	resp, _, err := f.do(t, f.request(t, "POST", "/", unsized(strings.Repeat("x", 1<<20))))
	if err != nil || resp.StatusCode != http.StatusInsufficientStorage {
		t.Errorf("%v, %v", resp, err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
