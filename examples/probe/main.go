// Probe shows the owner of a web server what arrives at an application, and does
// on request what applications do at their best and worst: see the table of
// tasks in README.md, or try ?do=params, ?do=stream&n=10&ms=500,
// ?do=panic&when=after. It is responder, authorizer and filter at once, in each
// of three ways to write a handler.
//
//	go run ./examples/probe -listen unix:/tmp/probe.sock
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("probe: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	mode := flag.String("mode", "sync", "kind of handlers: sync, async or http")
	driver := flag.String("driver", "auto", "what moves the bytes: auto, goroutine or loop")
	most := flag.Int64("max-requests", 0, "exit after so many requests; 0 is never")
	flag.Parse()

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	srv, err := newServer(*mode, *driver, &tally{most: *most, reached: stop})
	if err != nil {
		log.Fatal(err)
	}
	srv.Addr = *listen
	if err := srv.Run(ctx); err != nil {
		log.Fatal(err)
	}
}

func newServer(mode, driver string, t *tally) (*fastcgi.Server, error) {
	srv := &fastcgi.Server{Driver: fastcgi.Driver(driver)}
	switch mode {
	case "sync":
		srv.Handler = t.counting(syncResponder{t})
	case "async":
		srv.AsyncHandler = asyncResponder{t}
		srv.AsyncAuthorizer = asyncAuthorizer{t}
		srv.AsyncFilter = asyncFilter{t}
		return srv, nil
	case "http":
		srv.Handler = t.counting(fastcgi.HTTP(httpResponder{t}))
	default:
		return nil, fmt.Errorf("-mode %q: choose sync, async or http", mode)
	}
	// net/http knows neither role, so these serve both modes.
	srv.Authorizer = syncAuthorizer{t}
	srv.Filter = t.counting(fastcgi.HandlerFunc(filterSync))
	return srv, nil
}
