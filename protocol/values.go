package protocol

// The variables that a web server may ask an application for (§4.1).
const (
	VarMaxConns  = "FCGI_MAX_CONNS"  // connections that the application accepts at once
	VarMaxReqs   = "FCGI_MAX_REQS"   // requests that it accepts at once
	VarMpxsConns = "FCGI_MPXS_CONNS" // "1" if it multiplexes requests on a connection, "0" if not
)

// A Value is a variable that an application tells on GET_VALUES.
type Value struct {
	Name  string
	Value func() string // called once for each query that names it; keep it quick
}

const (
	// MaxValueNameLen is the longest name, in bytes, that GET_VALUES can ask
	// for. A longer one is an unknown one, and left out of the answer.
	MaxValueNameLen = 64
	// MaxValues is how many variables an application can tell.
	MaxValues = 64
)

// AppendGetValues appends a GET_VALUES record to dst that asks for names
// (§4.1). The record is padded to the next multiple of eight bytes, with one byte
// at least: libfcgi does not notice that the content has ended before it has read
// a byte more, and would wait for that in silence.
func AppendGetValues(dst []byte, names ...string) []byte {
	content := make([]byte, 0, 64)
	for _, name := range names {
		content = AppendPair(content, name, "")
	}
	at := len(dst)
	dst = AppendRecord(dst, TypeGetValues, ManagementID, content)
	var padding [8]byte
	n := 8 - len(content)%8
	dst[at+6] = byte(n)
	return append(dst, padding[:n]...)
}

// A valuesReader reads the pairs of GET_VALUES or GET_VALUES_RESULT, cut
// anywhere. It keeps one pair at a time, cut off at MaxValueNameLen bytes each.
type valuesReader struct {
	pairs pairScanner
	name  [MaxValueNameLen]byte
	value [MaxValueNameLen]byte
	nlen  int // bytes of the name that arrived; more than the array holds if it is too long
	vlen  int
	asked uint64 // bit i: value i is in the answer already
}

// next reads up to the end of a pair and returns what follows; done is false
// if b ends before.
func (r *valuesReader) next(b []byte) (rest []byte, done bool) {
	for {
		tok, piece, rest := r.pairs.next(b)
		switch tok {
		case tokenMore:
			return nil, false
		case tokenLengths:
			r.nlen, r.vlen = 0, 0
		case tokenName:
			r.nlen += keep(r.name[:], r.nlen, piece)
		case tokenValue:
			r.vlen += keep(r.value[:], r.vlen, piece)
			if r.pairs.value == 0 {
				return rest, true
			}
		}
		b = rest
	}
}

// keep stores piece in buf at have, as far as there is room, and returns how
// long it was.
func keep(buf []byte, have int, piece []byte) int {
	if have < len(buf) {
		copy(buf[have:], piece)
	}
	return len(piece)
}

// pair returns the last pair, and false if a part of it was too long to keep.
func (r *valuesReader) pair() (name, value []byte, ok bool) {
	if r.nlen > len(r.name) || r.vlen > len(r.value) {
		return nil, nil, false
	}
	return r.name[:r.nlen], r.value[:r.vlen], true
}

// note marks the variable that the last pair asks for. Whatever value the
// question carries is ignored (§4.1: it should be empty).
func (r *valuesReader) note(known []Value) {
	if r.nlen > len(r.name) {
		return
	}
	for i := range known {
		if i < MaxValues && known[i].Name == string(r.name[:r.nlen]) {
			r.asked |= 1 << i
		}
	}
}

// appendAnswer appends the GET_VALUES_RESULT with each variable asked for,
// once however often it was named. One that would overflow the record is left
// out.
func (r *valuesReader) appendAnswer(dst []byte, known []Value) []byte {
	at := len(dst)
	dst = AppendHeader(dst, Header{Type: TypeGetValuesResult})
	for i := range known {
		if i >= MaxValues || r.asked&(1<<i) == 0 {
			continue
		}
		value := known[i].Value()
		if len(dst)-at-HeaderLen+PairLen(known[i].Name, value) <= MaxContentLen {
			dst = AppendPair(dst, known[i].Name, value)
		}
	}
	n := len(dst) - at - HeaderLen
	dst[at+4], dst[at+5] = byte(n>>8), byte(n)
	return dst
}
