// Command nethttp serves the benchmark's tasks over HTTP with net/http: what one
// would use instead of FastCGI. usage: nethttp unix-socket-path task [size]
package main

import (
	"log"
	"net/http"
	"os"

	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

func main() { log.Fatal(webhandler.Serve(os.Args[1:], http.Serve)) }
