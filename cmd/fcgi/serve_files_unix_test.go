//go:build unix

package main

import (
	"net/http/httptest"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// Opening a named pipe waits until somebody writes to it.
func TestFilesAreNotNamedPipes(t *testing.T) {
	f := newFiles(t)
	if err := unix.Mkfifo(filepath.Join(f.root.Name(), "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := f.answer(httptest.NewRequest("GET", "/pipe", nil)).Body.String(); got != fromApplication {
		t.Errorf("got %q", got)
	}
}
