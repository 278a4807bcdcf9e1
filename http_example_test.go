package fastcgi_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
)

func ExampleHTTP() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "hello, %s, from %s\n", r.PathValue("name"), r.Host)
	})
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(mux)}
	// A program calls srv.Run now: see its example. This is what a web server would
	// get from it:
	ask(srv, client.Pair{Name: "REQUEST_URI", Value: "/hello/joe"})
	// Output:
	// hello, joe, from localhost
}

func ExampleStripScriptName() {
	mux := http.NewServeMux()
	mux.HandleFunc("/hello/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s, which is below %s\n", r.URL.Path, fastcgi.BasePath(r.Context()))
	})
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(fastcgi.StripScriptName(mux))}
	ask(srv,
		client.Pair{Name: "REQUEST_URI", Value: "/sub/hello/joe"},
		client.Pair{Name: "SCRIPT_NAME", Value: "/sub"},
		client.Pair{Name: "PATH_INFO", Value: "/hello/joe"},
	)
	// Output:
	// /hello/joe, which is below /sub
}

func ExampleFromContext() {
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req := fastcgi.FromContext(r.Context())
		// Whom the web server let in; no header says so.
		fmt.Fprintf(w, "user %s\n", req.Params.Get("REMOTE_USER"))
		// For the web server's error log.
		fmt.Fprintln(req.Stderr(), "greeted")
	}))}
	ask(srv, client.Pair{Name: "REMOTE_USER", Value: "joe"})
	// Output:
	// user joe
	// error log: greeted
}

// ask sends one request to srv as a web server does, and prints the body of the answer.
func ask(srv *fastcgi.Server, params ...client.Pair) {
	dir, err := os.MkdirTemp("", "fastcgi")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	addr := "unix:" + filepath.Join(dir, "socket")
	l, err := fastcgi.Listen(addr, nil)
	if err != nil {
		log.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	defer func() { <-served }()
	defer srv.Close()

	var stderr strings.Builder
	web := &client.Client{Addr: addr}
	defer web.Close()
	resp, err := web.Do(context.Background(), &client.Request{
		Params: append([]client.Pair{
			{Name: "REQUEST_METHOD", Value: "GET"},
			{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
			{Name: "HTTP_HOST", Value: "localhost"},
		}, params...),
		Stderr: &stderr,
	})
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
	for line := range strings.Lines(stderr.String()) {
		fmt.Print("error log: ", line)
	}
}
