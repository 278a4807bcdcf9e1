package main

import (
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

const textHeader = "Content-Type: text/plain; charset=utf-8\r\n\r\n"

// hello is the response of examples/hello.
var hello = []byte("Status: 200 OK\r\n" + textHeader + "hello, world\n")

// bytesResponse is the response of the task bytes. It is put together in place: a GiB
// takes long to copy.
func bytesResponse(size int) string {
	header := "Content-Type: application/octet-stream\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n"
	piece := webhandler.Pattern(251 << 12) // whole periods
	var b strings.Builder
	b.Grow(len(header) + size)
	b.WriteString(header)
	for left := size; left > 0; left -= len(piece) {
		b.Write(piece[:min(left, len(piece))])
	}
	return b.String()
}
