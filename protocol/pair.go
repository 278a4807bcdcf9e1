package protocol

import (
	"bytes"
	"encoding/binary"
)

// AppendPair appends a name-value pair to dst (§3.4). Each length takes one
// byte up to 127 and four bytes, the first with its high bit set, above; no
// length may pass 2147483647:
//
//	+------------+-------------+------+-------+
//	| nameLength | valueLength | name | value |
//	+------------+-------------+------+-------+
//	  1 or 4       1 or 4
func AppendPair(dst []byte, name, value string) []byte {
	dst = appendPairLen(dst, len(name))
	dst = appendPairLen(dst, len(value))
	dst = append(dst, name...)
	return append(dst, value...)
}

// PairLen returns how many bytes [AppendPair] appends.
func PairLen(name, value string) int {
	return pairLenLen(len(name)) + pairLenLen(len(value)) + len(name) + len(value)
}

func pairLenLen(n int) int {
	if n < 128 {
		return 1
	}
	return 4
}

func appendPairLen(dst []byte, n int) []byte {
	if n < 128 {
		return append(dst, byte(n))
	}
	return binary.BigEndian.AppendUint32(dst, uint32(n)|1<<31)
}

// CutPair decodes the first pair of b and returns the rest. Name and value
// alias b. It returns [ErrTruncatedPair] if b ends before the pair does.
//
// It takes []byte or string, so that a whole set of parameters can be cut out
// of one string without a copy.
func CutPair[T []byte | string](b T) (name, value, rest T, err error) {
	nameLen, used, ok := cutPairLen(b)
	if !ok {
		return name, value, b, ErrTruncatedPair
	}
	valueLen, usedValue, ok := cutPairLen(b[used:])
	if !ok {
		return name, value, b, ErrTruncatedPair
	}
	body := b[used+usedValue:]
	// Both lengths are below 2^31: their sum is not safe in an int of 32 bits.
	if uint64(nameLen)+uint64(valueLen) > uint64(len(body)) {
		return name, value, b, ErrTruncatedPair
	}
	n, v := int(nameLen), int(valueLen)
	return body[:n], body[n : n+v], body[n+v:], nil
}

func cutPairLen[T []byte | string](b T) (n uint32, used int, ok bool) {
	switch {
	case len(b) == 0:
		return 0, 0, false
	case b[0] < 128:
		return uint32(b[0]), 1, true
	case len(b) < 4:
		return 0, 0, false
	}
	return uint32(b[0]&0x7f)<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3]), 4, true
}

// A pairScanner follows pairs through a stream that may be cut anywhere. It
// keeps lengths, never bytes, so whatever a peer announces costs nothing.
type pairScanner struct {
	part  pairPart
	got   uint8  // bytes of the length in progress that have arrived
	len   uint32 // the length in progress
	name  uint32 // bytes of the name still to come
	value uint32 // bytes of the value still to come
	pairs int32  // pairs begun
}

// A pairPart is what the next byte of a pair belongs to.
type pairPart uint8

const (
	partNameLen pairPart = iota
	partValueLen
	partName
	partValue
)

// A pairToken is a piece of a pair.
type pairToken uint8

const (
	tokenMore    pairToken = iota // the chunk is used up
	tokenLengths                  // both lengths are known, nothing of the pair was read yet
	tokenName                     // a piece of the name, the last one if name == 0
	tokenValue                    // a piece of the value; the pair is complete if value == 0
)

// next returns the next piece of b: its kind, its bytes, and what follows it.
// Every pair yields one tokenLengths, then at least one tokenName and one
// tokenValue, even if they are empty.
func (s *pairScanner) next(b []byte) (tok pairToken, piece, rest []byte) {
	for {
		switch s.part {
		case partNameLen, partValueLen:
			if len(b) == 0 {
				return tokenMore, nil, nil
			}
			b = s.length(b)
			if s.part == partName {
				s.pairs++
				return tokenLengths, nil, b
			}
		case partName:
			if len(b) == 0 && s.name > 0 {
				return tokenMore, nil, nil
			}
			piece, b = take(b, &s.name)
			if s.name == 0 {
				s.part = partValue
			}
			return tokenName, piece, b
		case partValue:
			if len(b) == 0 && s.value > 0 {
				return tokenMore, nil, nil
			}
			piece, b = take(b, &s.value)
			if s.value == 0 {
				s.part = partNameLen
			}
			return tokenValue, piece, b
		}
	}
}

// skipWhole skips the pairs that lie in b as a whole, without NUL, up to limit
// pairs since the first. It is next for the common case, many times as fast: a
// request's parameters come in one piece. What is cut, or wrong, is left to next;
// so is a name of 128 bytes or more.
func (s *pairScanner) skipWhole(b []byte, limit int) (rest []byte) {
	if !s.between() {
		return b
	}
	at, nul := 0, -1 // nul is where the first NUL at or behind at is, if it is not before at
	for len(b)-at >= 2 && b[at] < 128 && int(s.pairs) < limit {
		text, value := at+2, int(b[at+1])
		if value >= 128 {
			if len(b)-at < 5 {
				break
			}
			text, value = at+5, int(binary.BigEndian.Uint32(b[at+1:])&^(1<<31))
		}
		name := int(b[at])
		if value > len(b)-text-name {
			break
		}
		if nul < text {
			nul = indexNUL(b, text)
		}
		if nul < text+name+value {
			break
		}
		at = text + name + value
		s.pairs++
	}
	return b[at:]
}

// indexNUL returns where the first NUL of b is, from a place on; len(b) if there
// is none.
func indexNUL(b []byte, from int) int {
	if i := bytes.IndexByte(b[from:], 0); i >= 0 {
		return from + i
	}
	return len(b)
}

// length takes what b has of the length in progress.
func (s *pairScanner) length(b []byte) (rest []byte) {
	if s.got == 0 && b[0] < 128 {
		s.lengthDone(uint32(b[0]))
		return b[1:]
	}
	for len(b) > 0 && s.got < 4 {
		s.len = s.len<<8 | uint32(b[0])
		s.got++
		b = b[1:]
	}
	if s.got == 4 {
		s.lengthDone(s.len &^ (1 << 31))
	}
	return b
}

func (s *pairScanner) lengthDone(n uint32) {
	s.got, s.len = 0, 0
	if s.part == partNameLen {
		s.name, s.part = n, partValueLen
	} else {
		s.value, s.part = n, partName
	}
}

// between reports whether the stream may end here: no pair is half read.
func (s *pairScanner) between() bool { return s.part == partNameLen && s.got == 0 }

// take cuts up to *n bytes from b and counts *n down.
func take(b []byte, n *uint32) (piece, rest []byte) {
	k := len(b)
	if uint64(*n) < uint64(k) {
		k = int(*n)
	}
	*n -= uint32(k)
	return b[:k], b[k:]
}
