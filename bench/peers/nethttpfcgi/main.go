// Command nethttpfcgi serves the benchmark's tasks with the standard library's
// net/http/fcgi. usage: nethttpfcgi unix-socket-path task [size]
package main

import (
	"log"
	"net/http/fcgi"
	"os"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

func main() { log.Fatal(webhandler.Serve(os.Args[1:], fcgi.Serve)) }
