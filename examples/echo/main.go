// Echo answers every request with its environment, the variables that the web
// server sent, as a JSON object.
//
//	go run ./examples/echo -listen unix:/tmp/echo.sock
package main

import (
	"context"
	"flag"
	"log"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("echo: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	flag.Parse()

	srv := newServer()
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func newServer() *fastcgi.Server {
	return &fastcgi.Server{Handler: fastcgi.HandlerFunc(echo)}
}

func echo(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	// It fails when the web server is gone, and there is nobody left to tell.
	_ = fastcgi.SendResponse(w, 200, "application/json", r.Params)
}
