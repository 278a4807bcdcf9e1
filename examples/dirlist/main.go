// Dirlist lists directories, as the example of the Python package simple_fastcgi
// does: ?path= names one below DOCUMENT_ROOT, and the answer has a JSON object in a
// line for each of its entries, sent as they are read. What is no directory there
// is answered with 404.
//
//	go run ./examples/dirlist -listen unix:/tmp/dirlist.sock
//
// It is an async handler whose work blocks, as reading a disk does: a goroutine
// reads while the web server takes what is read, and there is none while it does
// not.
package main

import (
	"context"
	"flag"
	"log"
	"os"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("dirlist: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	root := flag.String("root", "", "the directory above which nothing is shown (default: the request's DOCUMENT_ROOT)")
	flag.Parse()

	if *root != "" {
		// Better said now than with each request.
		r, err := os.OpenRoot(*root)
		if err != nil {
			log.Fatal(err)
		}
		_ = r.Close()
	}
	srv := newServer(*root)
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func newServer(root string) *fastcgi.Server {
	return &fastcgi.Server{AsyncHandler: lister{root}}
}
