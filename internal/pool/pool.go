// Package pool lends byte buffers, so that a connection has one only while
// there is something in it.
//
// It sits on nothing; whatever moves bytes may use it.
package pool

import (
	"math/bits"
	"sync"
	"unsafe"
)

const (
	minShift = 9  // 512 bytes
	maxShift = 17 // 128 KiB: a full input buffer and what is read beyond it
	// MaxSize is the largest buffer that is kept for reuse, in bytes.
	MaxSize = 1 << maxShift
)

// pools holds buffers by size: 512 bytes, 1 KiB, and so on to MaxSize. They are
// kept as *byte, which fits into an interface without an allocation.
var pools [maxShift - minShift + 1]sync.Pool

// Get returns an empty buffer with room for at least n bytes. What was in it
// before lies beyond its length.
func Get(n int) []byte {
	if n > MaxSize {
		return make([]byte, 0, n)
	}
	class := classOf(n)
	size := 1 << (class + minShift)
	if p, _ := pools[class].Get().(*byte); p != nil {
		return unsafe.Slice(p, size)[:0]
	}
	return make([]byte, 0, size)
}

// Put takes back a buffer that came from Get, or from Grow. Nothing may use it
// any more. A nil buffer is fine.
func Put(b []byte) {
	n := cap(b)
	if n < 1<<minShift || n > MaxSize || n&(n-1) != 0 {
		return
	}
	pools[classOf(n)].Put(unsafe.SliceData(b[:n]))
}

// Grow returns b with room for n bytes more, in a larger buffer if need be, in
// which case b goes back.
func Grow(b []byte, n int) []byte {
	if len(b)+n <= cap(b) {
		return b
	}
	larger := append(Get(max(len(b)+n, 2*cap(b))), b...)
	Put(b)
	return larger
}

func classOf(n int) int {
	if n <= 1<<minShift {
		return 0
	}
	return bits.Len(uint(n-1)) - minShift
}
