package driver_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// Accepting pauses from 5 ms to 1 s, twice as long after each error, and from the beginning again once it has worked.
func TestBackoff(t *testing.T) {
	var b driver.Backoff
	for range 2 {
		var delays []time.Duration
		for range 10 {
			delay, again := b.Next(syscall.EMFILE)
			if !again {
				t.Fatal("EMFILE is final")
			}
			delays = append(delays, delay/time.Millisecond)
		}
		if want := []time.Duration{5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000}; !slices.Equal(delays, want) {
			t.Errorf("the delays are %v ms, want %v", delays, want)
		}
		b.Reset()
	}
}

// Some errors of accept pass, others do not.
func TestBackoffErrors(t *testing.T) {
	for _, test := range []struct {
		err    error
		passes bool
	}{
		{syscall.EMFILE, true},
		{syscall.ENFILE, true},
		{syscall.ENOMEM, true},
		{syscall.ENOBUFS, true},
		{&net.OpError{Op: "accept", Err: os.NewSyscallError("accept4", syscall.EMFILE)}, true},
		{fmt.Errorf("wrapped: %w", syscall.ENOMEM), true},
		{syscall.EINVAL, false},
		{syscall.EBADF, false},
		{net.ErrClosed, false},
		{&net.OpError{Op: "accept", Err: net.ErrClosed}, false},
		{errors.New("something else"), false},
	} {
		var b driver.Backoff
		if delay, again := b.Next(test.err); again != test.passes || (delay > 0) != test.passes {
			t.Errorf("after %v: %v, %v", test.err, delay, again)
		}
	}
}
