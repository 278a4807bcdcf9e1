package spool_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// TestMain fails where tests leave descriptors behind.
func TestMain(m *testing.M) { leak.Main(m) }

// A budget gives what it has, and nothing of what it has not.
func TestBudget(t *testing.T) {
	const limit = 100
	for _, test := range []struct {
		taken, n int
		want     bool
	}{
		{0, limit - 1, true},
		{0, limit, true},
		{0, limit + 1, false},
		{1, limit - 2, true},
		{1, limit - 1, true},
		{1, limit, false},
		{limit, 0, true},
		{limit, 1, false},
	} {
		b := spool.NewBudget(limit)
		if !b.Take(test.taken) {
			t.Fatalf("%d of %d were refused", test.taken, limit)
		}
		if got := b.Fits(test.n); got != test.want {
			t.Errorf("with %d taken, Fits(%d) is %v", test.taken, test.n, got)
		}
		if got := b.Take(test.n); got != test.want {
			t.Errorf("with %d taken, Take(%d) is %v", test.taken, test.n, got)
		}
		want := test.taken
		if test.want {
			want += test.n
		}
		if got := b.Used(); got != int64(want) {
			t.Errorf("%d are used, want %d", got, want)
		}
		b.Give(int64(want))
		if got := b.Used(); got != 0 {
			t.Errorf("%d are used when all is given back", got)
		}
	}
}

// Whoever shares a budget gets no more of it together than there is.
func TestBudgetShared(t *testing.T) {
	const limit, users, each = 1000, 8, 500
	b := spool.NewBudget(limit)
	var taken [users]int64
	var all sync.WaitGroup
	for i := range users {
		all.Go(func() {
			for range each {
				if b.Take(1) {
					taken[i]++
				}
				if used := b.Used(); used > limit {
					t.Errorf("%d of %d are used", used, limit)
				}
			}
		})
	}
	all.Wait()
	var sum int64
	for _, n := range taken {
		sum += n
	}
	if sum != limit || b.Used() != limit {
		t.Errorf("%d of %d were given, and %d are used", sum, limit, b.Used())
	}
}

// create makes a File in a directory of its own, which is empty at the end of the test.
func create(t *testing.T, b *spool.Budget) *spool.File {
	t.Helper()
	dir := t.TempDir()
	f, err := spool.Create(dir, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if names, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(names) > 0 {
			t.Errorf("left behind: %q, %v", names, err)
		}
	})
	return f
}

// What is written is read in its order, in whatever pieces, also when reading and writing take turns.
func TestFileOrder(t *testing.T) {
	f := create(t, spool.NewBudget(1<<20))
	defer f.Close()
	var want, got bytes.Buffer
	for round := range 50 {
		p := bytes.Repeat([]byte{byte(round)}, round*31)
		if n, err := f.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write returned %d, %v", n, err)
		}
		want.Write(p)
		io.CopyN(&got, f, int64(round*17))
		if f.Len() != int64(want.Len()-got.Len()) {
			t.Errorf("Len is %d, want %d", f.Len(), want.Len()-got.Len())
		}
	}
	if _, err := io.Copy(&got, f); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("read %d bytes, %v; want the %d that were written", got.Len(), err, want.Len())
	}
	if n, err := f.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read of an empty queue returned %d, %v", n, err)
	}
}

// A File is a reader as package io has it.
func TestFileReader(t *testing.T) {
	f := create(t, spool.NewBudget(1<<20))
	defer f.Close()
	content := bytes.Repeat([]byte("0123456789"), 1000)
	f.Write(content)
	if err := iotest.TestReader(f, content); err != nil {
		t.Error(err)
	}
}

// A write that is more than the budget has is refused as a whole, and what was written stays.
func TestFileFull(t *testing.T) {
	const limit = 100
	for n, full := range map[int]bool{limit - 1: false, limit: false, limit + 1: true} {
		b := spool.NewBudget(limit + 10)
		f := create(t, b)
		f.Write(make([]byte, 10))
		switch k, err := f.Write(bytes.Repeat([]byte{1}, n)); {
		case full && (k != 0 || err != spool.ErrFull):
			t.Errorf("Write of %d returned %d, %v", n, k, err)
		case !full && (k != n || err != nil):
			t.Errorf("Write of %d returned %d, %v", n, k, err)
		}
		want := int64(10 + n)
		if full {
			want = 10
		}
		if f.Len() != want || b.Used() != want {
			t.Errorf("after a Write of %d Len is %d and the budget %d, want %d", n, f.Len(), b.Used(), want)
		}
		f.Close()
		if b.Used() != 0 {
			t.Errorf("%d are used after Close", b.Used())
		}
	}
}

// Space is given back when everything was read, and not before: the bytes that were read still lie in the file.
func TestFileRewind(t *testing.T) {
	b := spool.NewBudget(100)
	f := create(t, b)
	defer f.Close()
	for range 3 {
		f.Write(make([]byte, 60))
		io.CopyN(io.Discard, f, 59)
		if _, err := f.Write(make([]byte, 41)); err != spool.ErrFull {
			t.Errorf("Write over the budget returned %v", err)
		}
		if b.Used() != 60 {
			t.Errorf("%d are used, want 60", b.Used())
		}
		io.CopyN(io.Discard, f, 1)
		if b.Used() != 0 || f.Len() != 0 {
			t.Errorf("%d are used, and %d left, when all is read", b.Used(), f.Len())
		}
	}
}

// Errors of the system are told, and take nothing from the budget.
func TestFileErrors(t *testing.T) {
	b := spool.NewBudget(100)
	if _, err := spool.Create(filepath.Join(t.TempDir(), "missing"), b); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Create in a directory that is not there returned %v", err)
	}
	f := create(t, b)
	f.Write(make([]byte, 10))
	f.Close()
	if n, err := f.Write(make([]byte, 10)); n != 0 || !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close returned %d, %v", n, err)
	}
	if n, err := f.Read(make([]byte, 10)); n != 0 || err == nil {
		t.Errorf("Read after Close returned %d, %v", n, err)
	}
	if err := f.Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Close after Close returned %v", err)
	}
	if b.Used() != 0 {
		t.Errorf("%d are used", b.Used())
	}
}
