package client_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Zeros in lengths are what the client says they are, whatever the length.
func TestZerosInLengths(t *testing.T) {
	for _, n := range []int{0, 1, 127, 128, 255, 256, 257, 511, 512, 65535, 65536, 65537, 1 << 24, 1<<24 + 1} {
		length := protocol.AppendPair(nil, strings.Repeat("n", n), "v")
		length = length[:len(length)-n-2]
		if got, want := client.ZerosIn(n), bytes.Count(length, []byte{0}); got != want {
			t.Errorf("%d zeros in a length of %d, %x, want %d", got, n, length, want)
		}
	}
}

// A NUL is found beside lengths that have zeros, in names and in values; and nothing is found where only lengths have.
func TestNULBesideZerosInLengths(t *testing.T) {
	long := strings.Repeat("v", 256)
	for _, tt := range []struct {
		name, value string
		bad         bool
	}{
		{"EMPTY", "", false},
		{"", "", false},
		{"LONG", long, false},
		{long, long, false},
		{"A\x00", "", true},
		{"A", "\x00", true},
		{"A", long + "\x00", true},
		{"\x00", long, true},
	} {
		c := &client.Client{Addr: "/nowhere", DialTimeout: 1}
		_, err := c.Do(t.Context(), &client.Request{Params: []client.Pair{{Name: "EMPTY"}, {Name: tt.name, Value: tt.value}}})
		if got := errors.Is(err, protocol.ErrNUL); got != tt.bad {
			t.Errorf("%.9q=%.9q: %v", tt.name, tt.value, err)
		}
		c.Close()
	}
}
