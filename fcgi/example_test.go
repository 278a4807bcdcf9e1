package fcgi_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/fcgi"
)

func ExampleServe() {
	http.HandleFunc("/hello", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, "hello, world, from", r.Host)
	})
	// A program that a web server starts ends with log.Fatal(fcgi.Serve(nil, nil)).
	// This is what a web server would get from it:
	ask(nil, client.Pair{Name: "REQUEST_URI", Value: "/hello"})
	// Output:
	// hello, world, from example.com
}

func ExampleProcessEnv() {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Whom the web server let in; no header says so.
		fmt.Fprintln(w, "user", fcgi.ProcessEnv(r)["REMOTE_USER"])
	})
	ask(handler, client.Pair{Name: "REMOTE_USER", Value: "jane"})
	// Output:
	// user jane
}

// ask has h served, and prints the body of its answer to one request.
func ask(h http.Handler, params ...client.Pair) {
	dir, err := os.MkdirTemp("", "fcgi")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- fcgi.Serve(l, h) }()
	defer func() { <-served }()
	defer l.Close()

	web := &client.Client{Addr: "unix:" + l.Addr().String()}
	defer web.Close()
	resp, err := web.Do(context.Background(), &client.Request{Params: append([]client.Pair{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "HTTP_HOST", Value: "example.com"},
	}, params...)})
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Close()
	stdout, err := io.ReadAll(resp)
	if err != nil {
		log.Fatal(err)
	}
	_, body, _ := strings.Cut(string(stdout), "\r\n\r\n")
	fmt.Print(body)
}
