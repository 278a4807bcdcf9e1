package main

import (
	"strconv"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

const textHeader = "Content-Type: text/plain; charset=utf-8\r\n\r\n"

// hello is the response of examples/hello.
var hello = []byte("Status: 200 OK\r\n" + textHeader + "hello, world\n")

// bytesResponse is the response of the task bytes.
func bytesResponse(size int) []byte {
	header := "Content-Type: application/octet-stream\r\nContent-Length: " + strconv.Itoa(size) + "\r\n\r\n"
	return append(append(make([]byte, 0, len(header)+size), header...), webhandler.Pattern(size)...)
}
