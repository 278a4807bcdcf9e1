package main

import (
	"strconv"

	"github.com/simple-fastcgi/fastcgi"
)

// A bodyLength is how much of an async request's body is still to come. OnBody
// gives what arrives, be it less or more than CONTENT_LENGTH; Request.Read and
// net/http hold it to that themselves.
type bodyLength struct {
	known bool
	left  int64
}

func lengthOf(p fastcgi.Params) bodyLength {
	n, err := strconv.ParseInt(p.Get("CONTENT_LENGTH"), 10, 64)
	return bodyLength{known: err == nil && n >= 0, left: n}
}

// take returns what of a chunk belongs to the body, and whether that was the
// last.
func (b *bodyLength) take(chunk []byte, last bool) ([]byte, bool) {
	if !b.known {
		return chunk, last
	}
	chunk = chunk[:min(int64(len(chunk)), b.left)]
	b.left -= int64(len(chunk))
	return chunk, last || b.left == 0
}

// short reports whether the end came before all of the body.
func (b *bodyLength) short() bool { return b.known && b.left > 0 }
