// Filter sends files in upper case: the file that the web server passes as
// FCGI_DATA, with the letters a to z made capitals.
//
//	go run ./examples/filter -listen unix:/tmp/filter.sock
//
// No web server of today makes requests in the filter's role, but
//
//	fcgi call --role filter --data README.md unix:/tmp/filter.sock
//
// does.
package main

import (
	"context"
	"flag"
	"io"
	"log"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("filter: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	flag.Parse()

	srv := newServer()
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func newServer() *fastcgi.Server {
	return &fastcgi.Server{Filter: fastcgi.HandlerFunc(filter)}
}

func filter(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	// A form that came with the request is passed over: the file is behind it.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return // the web server is gone
	}
	// So it is if this fails: there is nobody left to tell.
	_ = fastcgi.SendResponse(w, 200, "text/plain", upper{r.Data()})
}
