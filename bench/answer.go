//go:build linux

package main

import (
	"crypto/sha256"
	"fmt"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

const helloText = "hello, world\n"

// expect is what the answers to a task are.
func expect(t task) harness.Want {
	switch t.do {
	case "bytes":
		return harness.Want{Pattern: t.size}
	case "count":
		return harness.Want{Text: fmt.Sprintln(t.size)}
	case "digest":
		h := sha256.New()
		for range t.size / pieceSize {
			h.Write(uploadPiece)
		}
		return harness.Want{Text: fmt.Sprintf("%x %d\n", h.Sum(nil), t.size)}
	}
	return harness.Want{Text: helloText}
}

func bytesQuery(size int64) string { return fmt.Sprintf("size=%d", size) }
