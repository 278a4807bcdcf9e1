package fastcgi_test

import (
	"context"
	"fmt"
	"log"
	"strconv"
	"strings"
	"testing/fstest"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

func ExampleSendResponse() {
	hello := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		// This fails when the web server is gone: then nobody is left to tell.
		_ = fastcgi.SendResponse(w, 200, "text/plain", "hello\n", fastcgi.Pair{Name: "Cache-Control", Value: "no-store"})
	})
	resp, err := fastcgitest.Serve(context.Background(), hello, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Cache-Control"))
	fmt.Printf("%s", resp.Body)
	// Output:
	// 200 text/plain; charset=utf-8 no-store
	// hello
}

func ExampleSendResponse_json() {
	type user struct {
		Name   string   `json:"name"`
		Groups []string `json:"groups"`
	}
	joe := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		_ = fastcgi.SendResponse(w, 200, "application/json", user{"joe", []string{"staff"}})
	})
	printAnswer(fastcgitest.Serve(context.Background(), joe, fastcgitest.NewRequest("GET", "/users/joe", nil)))
	// Output:
	// 200 application/json
	// {"name":"joe","groups":["staff"]}
}

// A sequence is sent piece by piece, in an async handler too, where the loop takes a piece when the web server has room.
func ExampleSendResponse_stream() {
	countdown := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		_ = fastcgi.SendResponse(ex, 200, "text/plain", func(yield func(string) bool) {
			for i := 3; i > 0; i-- {
				if !yield(strconv.Itoa(i) + "\n") {
					return // the visitor has left
				}
			}
		})
		_ = ex.Finish(0) // when all of it is sent
	})
	printAnswer(fastcgitest.ServeAsync(context.Background(), countdown, fastcgitest.NewRequest("GET", "/", nil)))
	// Output:
	// 200 text/plain; charset=utf-8
	// 3
	// 2
	// 1
}

// A reader is sent piece by piece, too, and closed at the end if it can be.
func ExampleSendResponse_reader() {
	files := fstest.MapFS{"licence.txt": {Data: []byte("as you like\n")}} // or os.DirFS, or an os.Root's
	send := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		f, err := files.Open(strings.TrimPrefix(r.Params.Get("PATH_INFO"), "/"))
		if err != nil {
			fmt.Fprintln(w.Stderr(), err) // for the web server's error log
			_ = fastcgi.SendResponse(w, 404, "text/plain", nil)
			return
		}
		_ = fastcgi.SendResponse(w, 200, "text/plain", f)
	})
	for _, path := range []string{"/licence.txt", "/secret.txt"} {
		printAnswer(fastcgitest.Serve(context.Background(), send, fastcgitest.NewRequest("GET", path, nil)))
	}
	// Output:
	// 200 text/plain; charset=utf-8
	// as you like
	// 404 text/plain; charset=utf-8
	// Not Found
	// error log: open secret.txt: file does not exist
}

func ExampleSendRedirect() {
	moved := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		to := r.Params.Get("QUERY_STRING")
		if err := fastcgi.SendRedirect(w, to); err != nil { // no URL, or one that browsers read otherwise
			_ = fastcgi.SendResponse(w, 400, "text/plain", nil)
		}
	})
	for _, to := range []string{"https://example.org/new", "//example.org/new"} {
		resp, err := fastcgitest.Serve(context.Background(), moved, fastcgitest.NewRequest("GET", "/?"+to, nil))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.StatusCode, resp.Header.Get("Location"))
	}
	// Output:
	// 302 https://example.org/new
	// 400
}

// printAnswer prints what a web server gets.
func printAnswer(resp *fastcgitest.Response, err error) {
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"))
	fmt.Printf("%s", resp.Body)
	if len(resp.Stderr) > 0 {
		fmt.Printf("error log: %s", resp.Stderr)
	}
}
