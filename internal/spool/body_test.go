package spool_test

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// A body stays in memory up to the one limit, is kept up to the other, and can be read twice wherever it is.
func TestBody(t *testing.T) {
	const memory, size = 100, 300
	dir := t.TempDir()
	for _, n := range []int{0, 1, memory - 1, memory, memory + 1, size - 1, size, size + 1} {
		want := strings.Repeat("x", n)
		body, err := spool.ReadBody(strings.NewReader(want), spool.Limits{Memory: memory, Size: size, Dir: dir})
		if n > size {
			var large *spool.TooLargeError
			if body != nil || !errors.As(err, &large) || large.Limit != size {
				t.Errorf("%d bytes: %v, %v", n, body, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		r := body.Reader()
		for range 2 {
			if got, err := io.ReadAll(r); string(got) != want || err != nil || body.Len() != int64(n) {
				t.Errorf("%d bytes: read %d of %d, %v", n, len(got), body.Len(), err)
			}
			if _, err := r.Seek(0, io.SeekStart); err != nil {
				t.Error(err)
			}
		}
		_, inMemory := r.(interface{ UnreadByte() error })
		if inMemory != (n <= memory) {
			t.Errorf("%d bytes: in memory %v", n, inMemory)
		}
		body.Close()
		body.Close()
		if _, err := r.Read(make([]byte, 1)); !inMemory && !errors.Is(err, os.ErrClosed) {
			t.Errorf("%d bytes: after Close %v", n, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("files are left: %v", left)
	}
}

func TestBodyUnlimited(t *testing.T) {
	body, err := spool.ReadBody(strings.NewReader("hello"), spool.Limits{Memory: spool.Unlimited, Size: spool.Unlimited})
	if err != nil || body.Len() != 5 {
		t.Errorf("%v, %v", body, err)
	}
}

// Whose fault it is can be told: the source's error is passed on, the disk's has a type.
func TestBodyErrors(t *testing.T) {
	broken := errors.New("broken")
	var disk *spool.DiskError
	for _, limits := range []spool.Limits{{Memory: 10, Size: 10}, {Memory: 1, Size: 10, Dir: t.TempDir()}} {
		_, err := spool.ReadBody(io.MultiReader(strings.NewReader("hello"), errorReader{broken}), limits)
		if !errors.Is(err, broken) || errors.As(err, &disk) {
			t.Errorf("%+v: %v", limits, err)
		}
	}
	_, err := spool.ReadBody(strings.NewReader("hello"), spool.Limits{Memory: 1, Size: 10, Dir: "/nowhere"})
	if !errors.As(err, &disk) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }
