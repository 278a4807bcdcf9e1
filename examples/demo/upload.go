package main

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/simple-fastcgi/fastcgi"
)

// An uploaded is the answer to an upload.
type uploaded struct {
	Bytes  int64  `json:"bytes"`
	Chunks int    `json:"chunks"`
	SHA256 string `json:"sha256"`
}

// upload hashes a body of any size as it arrives. It is an AsyncHandler: called
// back for each chunk, it keeps neither the body nor a goroutine.
func upload(ex fastcgi.Exchange) {
	hash := sha256.New()
	var got uploaded
	ex.OnAbort(func(error) { _ = ex.Finish(1) })
	ex.OnBody(func(chunk []byte, last bool) {
		hash.Write(chunk)
		got.Bytes += int64(len(chunk))
		got.Chunks++
		if last {
			got.SHA256 = hex.EncodeToString(hash.Sum(nil))
			_ = fastcgi.SendResponse(ex, 200, "application/json", got)
			_ = ex.Finish(0)
		}
	})
}
