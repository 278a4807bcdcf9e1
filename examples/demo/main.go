// Demo is a site with each kind of handler at work, for a browser:
//
//	make demo
//
// or, behind a web server of your own, on all of its paths:
//
//	go run ./examples/demo -listen unix:/tmp/demo.sock
package main

import (
	"context"
	"flag"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("demo: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	dir := flag.String("files", ".", "the directory that visitors may list")
	flag.Parse()

	root, err := os.OpenRoot(*dir)
	if err != nil {
		log.Fatal(err)
	}
	defer root.Close()
	srv := newServer(root)
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}
