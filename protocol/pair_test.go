package protocol_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A17: the four forms, with lengths to either side of each form's limit.
func TestPairForms(t *testing.T) {
	for _, n := range []int{0, 1, 126, 127, 128, 255, 256, 65535, 65536, 1 << 20} {
		for _, v := range []int{0, 1, 127, 128, 70000} {
			name, value := strings.Repeat("n", n), strings.Repeat("v", v)
			block := string(protocol.AppendPair([]byte("before"), name, value))
			if block != "before"+nv(name, value) {
				t.Errorf("A17 lengths %d and %d: wrongly encoded", n, v)
			}
			if got := protocol.PairLen(name, value); got != len(block)-len("before") {
				t.Errorf("A17 lengths %d and %d: PairLen is %d", n, v, got)
			}
			gotName, gotValue, rest, err := protocol.CutPair(block[len("before"):] + "after")
			if gotName != name || gotValue != value || rest != "after" || err != nil {
				t.Errorf("A17 lengths %d and %d: wrongly decoded, %v", n, v, err)
			}
		}
	}
}

// A17, A20, A21: what CutPair makes of the forms that AppendPair does not make, and of what is no pair.
func TestCutPair(t *testing.T) {
	for _, tt := range []struct {
		name              string
		block             string
		first, val, after string
		err               error
	}{
		{"A17 four bytes for small lengths", long(1) + long(2) + "nvvx", "n", "vv", "x", nil},
		{"A17 four bytes for nothing, at the end", "\x00" + long(0), "", "", "", nil},
		{"A17 mixed forms", long(0) + "\x01v", "", "v", "", nil},
		{"A20 nothing", "", "", "", "", protocol.ErrTruncatedPair},
		{"A20 one length", "\x01", "", "", "\x01", protocol.ErrTruncatedPair},
		{"A20 three bytes of a length", "\x80\x00\x00", "", "", "\x80\x00\x00", protocol.ErrTruncatedPair},
		{"A20 three bytes of the second", "\x00\x80\x00\x00", "", "", "\x00\x80\x00\x00", protocol.ErrTruncatedPair},
		{"A20 half a value", "\x01\x02nv", "", "", "\x01\x02nv", protocol.ErrTruncatedPair},
		{"A21 eight 0xff", "\xff\xff\xff\xff\xff\xff\xff\xffnv", "", "", "\xff\xff\xff\xff\xff\xff\xff\xffnv", protocol.ErrTruncatedPair},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name, value, rest, err := protocol.CutPair(tt.block)
			if name != tt.first || value != tt.val || rest != tt.after || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %q, %q, %v", name, value, rest, err)
			}
			bName, bValue, bRest, bErr := protocol.CutPair([]byte(tt.block))
			if string(bName) != name || string(bValue) != value || string(bRest) != rest || !errors.Is(bErr, err) {
				t.Errorf("of bytes: got %q, %q, %q, %v", bName, bValue, bRest, bErr)
			}
		})
	}
}

// C2: a request for values that does not fit into one record cannot be sent.
func TestAppendGetValuesTooLong(t *testing.T) {
	mustPanic(t, func() { protocol.AppendGetValues(nil, full) })
}
