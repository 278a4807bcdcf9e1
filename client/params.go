package client

import (
	"bytes"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// params are the parameters of a request, encoded, for as many records as it takes. They are checked and encoded before
// there is a connection, so that nobody waits for that.
type params struct {
	encoded []byte // from the pool
	cuts    []int  // where a record ends, but for the last
}

// encode encodes the parameters that the role gets. One does not continue in another record unless it is larger than one: PHP
// reads each by itself.
func (r *Request) encode(splitPairs bool) (params, error) {
	out := params{encoded: pool.Get(usualParams)}
	start, zeros := 0, 0
	for _, p := range r.Params {
		if !r.has(p.Name) {
			continue
		}
		n := protocol.PairLen(p.Name, p.Value)
		if n > MaxPairLen && !splitPairs {
			out.release()
			return params{}, &ParamTooLargeError{Name: p.Name, Len: n}
		}
		if at := len(out.encoded); at > start && at-start+n > MaxPairLen {
			out.cuts = append(out.cuts, at)
			start = at
		}
		out.encoded = protocol.AppendPair(pool.Grow(out.encoded, n), p.Name, p.Value)
		zeros += zerosIn(len(p.Name)) + zerosIn(len(p.Value))
	}
	// To count all at once is faster than to look into each name and value.
	if bytes.Count(out.encoded, []byte{0}) != zeros {
		if err := r.checkNUL(); err != nil {
			out.release()
			return params{}, err
		}
	}
	return out, nil
}

// zerosIn returns how many bytes of an encoded length are zero (§3.4).
func zerosIn(n int) (zeros int) {
	if n < 128 {
		if n == 0 {
			return 1
		}
		return 0
	}
	for _, b := range [3]byte{byte(n >> 16), byte(n >> 8), byte(n)} { // the first has its highest bit set
		if b == 0 {
			zeros++
		}
	}
	return zeros
}

// usualParams has room for the parameters of most requests, in bytes.
const usualParams = 2 << 10

// records yields what belongs into a record, or into several if that is one parameter.
func (p *params) records(yield func([]byte) bool) {
	start := 0
	for _, end := range p.cuts {
		if !yield(p.encoded[start:end]) {
			return
		}
		start = end
	}
	yield(p.encoded[start:])
}

// release gives the memory back.
func (p *params) release() {
	pool.Put(p.encoded)
	p.encoded = nil
}
