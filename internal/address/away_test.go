//go:build unix

package address_test

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/address"
)

func TestAway(t *testing.T) {
	connect := func(op string, errno syscall.Errno) error {
		return &net.OpError{Op: op, Net: "unix", Err: os.NewSyscallError("connect", errno)}
	}
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{connect("dial", syscall.ECONNREFUSED), true},
		{connect("dial", syscall.ENOENT), true},
		{connect("dial", syscall.EAGAIN), true},
		{connect("dial", syscall.ECONNRESET), true},
		{fmt.Errorf("fastcgi: dial: %w", connect("dial", syscall.EAGAIN)), true},
		{connect("dial", syscall.EACCES), false},
		{connect("dial", syscall.ETIMEDOUT), false},
		{connect("read", syscall.ECONNRESET), false},
		{&net.OpError{Op: "dial", Err: &net.DNSError{IsNotFound: true}}, false},
		{syscall.ECONNREFUSED, false},
		{nil, false},
	} {
		if got := address.Away(tt.err); got != tt.want {
			t.Errorf("%v: %v", tt.err, got)
		}
	}
}
