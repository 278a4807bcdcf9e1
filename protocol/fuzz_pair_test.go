package protocol_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// FuzzPairs holds the three readers of pairs against each other: CutPair of a string, CutPair of bytes, and the
// scanner by which a Conn follows PARAMS.
func FuzzPairs(f *testing.F) {
	for _, b := range blocks {
		f.Add("SCRIPT_NAME", "/index", []byte(b.block))
	}
	f.Add("", strings.Repeat("v", 128), []byte(nv("a", "b")+long(1)+"\x00c"+nv("", "")))
	f.Fuzz(func(t *testing.T, name, value string, block []byte) {
		encoded := protocol.AppendPair(block[:len(block):len(block)], name, value)[len(block):]
		if len(encoded) != protocol.PairLen(name, value) {
			t.Errorf("%d bytes, PairLen says %d", len(encoded), protocol.PairLen(name, value))
		}
		if n, v, rest, err := protocol.CutPair(string(encoded)); n != name || v != value || rest != "" || err != nil {
			t.Errorf("%q=%q came back as %q=%q, rest %q, %v", name, value, n, v, rest, err)
		}

		pairs, text, err := cutAll(t, block)
		faultless := err == nil && !strings.Contains(text, "\x00")
		for _, chunk := range []int{1, 3, max(1, len(block))} {
			if got := scan(t, block, chunk, math.MaxInt32, pairs+1); (got == nil) != faultless {
				t.Errorf("in chunks of %d the scanner says %v, CutPair %v", chunk, got, err)
			}
			if !faultless || pairs < 2 {
				continue // a limit of 0 would be the default
			}
			if got := scan(t, block, chunk, len(block), pairs); got != nil {
				t.Errorf("with limits that fit exactly: %v", got)
			}
			if got := scan(t, block, chunk, len(block)-1, pairs); !errors.Is(got, protocol.ErrParamsTooLarge) {
				t.Errorf("with a byte too many: %v", got)
			}
			if got := scan(t, block, chunk, len(block), pairs-1); !errors.Is(got, protocol.ErrTooManyPairs) {
				t.Errorf("with a pair too many: %v", got)
			}
		}
	})
}

// cutAll cuts all pairs out of block. It returns how many there are, and their names and values in one string.
func cutAll(t *testing.T, block []byte) (pairs int, text string, err error) {
	t.Helper()
	inString := string(block)
	for len(block) > 0 {
		name, value, rest, err := protocol.CutPair(block)
		sName, sValue, sRest, sErr := protocol.CutPair(inString)
		if string(name) != sName || string(value) != sValue || string(rest) != sRest || !errors.Is(sErr, err) {
			t.Fatalf("bytes: %q=%q, %q, %v; string: %q=%q, %q, %v", name, value, rest, err, sName, sValue, sRest, sErr)
		}
		if err != nil {
			return pairs, text, err
		}
		block, inString, text = rest, sRest, text+sName+sValue
		pairs++
	}
	return pairs, text, nil
}

// scan sends block to an application as PARAMS, and returns its first complaint.
func scan(t *testing.T, block []byte, chunk, maxParams, maxPairs int) error {
	t.Helper()
	c := protocol.NewConn(protocol.Application, &protocol.Config{MaxParams: maxParams, MaxPairs: maxPairs})
	records := []record{begin(1, responder, keep)}
	for part := range slices.Chunk(block, protocol.MaxContentLen) {
		records = append(records, params(1, string(part)))
	}
	for part := range slices.Chunk(wire(append(records, params(1, ""))...), chunk) {
		for len(part) > 0 {
			_, rest, err := c.Next(part)
			if err != nil {
				return err
			}
			part = rest
		}
	}
	return nil
}
