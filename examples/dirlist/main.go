// Dirlist lists directories: PATH_INFO names one below -root, and the answer has
// a JSON object in a line for each of its entries, sent as they are read.
//
//	go run ./examples/dirlist -listen unix:/tmp/dirlist.sock -root /srv/files
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
	dir := flag.String("root", ".", "the directory above which nothing is shown")
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

func newServer(root *os.Root) *fastcgi.Server {
	return &fastcgi.Server{AsyncHandler: lister{root}}
}
