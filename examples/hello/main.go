// Hello answers every request with "hello, world", in the way that -mode names.
// It is the smallest program there is, and the one that the benchmark measures.
//
//	go run ./examples/hello -listen unix:/tmp/hello.sock
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("hello: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	mode := flag.String("mode", "sync", "kind of handler: sync, async or http")
	driver := flag.String("driver", "auto", "what moves the bytes: auto, goroutine or loop")
	flag.Parse()

	srv, err := newServer(*mode, *driver)
	if err != nil {
		log.Fatal(err)
	}
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func newServer(mode, driver string) (*fastcgi.Server, error) {
	srv := &fastcgi.Server{Driver: fastcgi.Driver(driver)}
	switch mode {
	case "sync":
		srv.Handler = fastcgi.HandlerFunc(sync)
	case "async":
		srv.AsyncHandler = fastcgi.AsyncHandlerFunc(async)
	case "http":
		srv.Handler = fastcgi.HTTP(http.HandlerFunc(httpHandler))
	default:
		return nil, fmt.Errorf("-mode %q: choose sync, async or http", mode)
	}
	return srv, nil
}

const mimeType, body = "text/plain; charset=utf-8", "hello, world\n"

// response is what SendResponse(w, 200, mimeType, body) writes. That would put
// it together for each request, which is not what a benchmark of the protocol is
// about.
var response = []byte("Status: 200 OK\r\nContent-Type: " + mimeType + "\r\n\r\n" + body)

// What fails in these is writing to a web server that has gone: there is nobody
// left to tell.

func sync(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	_, _ = w.Write(response)
}

func async(ex fastcgi.Exchange) {
	_, _ = ex.Write(response)
	_ = ex.Finish(0)
}

var (
	httpType = []string{mimeType}
	httpBody = []byte(body)
)

func httpHandler(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = httpType
	_, _ = w.Write(httpBody)
}
