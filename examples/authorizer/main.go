// Authorizer lets requests pass that carry a token it knows, as in
//
//	Authorization: Bearer sesame
//
// and tells the web server in AUTH_USER whose token it is. A file has the tokens,
// each in a line with its user: "sesame ali-baba".
//
//	go run ./examples/authorizer -listen tcp:127.0.0.1:9000 -tokens tokens.txt
//
// Apache (mod_authnz_fcgi) and lighttpd use authorizers.
package main

import (
	"context"
	"flag"
	"log"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("authorizer: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that the web server passed)")
	file := flag.String("tokens", "tokens.txt", "the file of tokens and their users")
	flag.Parse()

	tokens, err := readTokens(*file)
	if err != nil {
		log.Fatal(err)
	}
	srv := newServer(tokens)
	srv.Addr = *listen
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func newServer(tokens *tokens) *fastcgi.Server {
	return &fastcgi.Server{Authorizer: tokens}
}
