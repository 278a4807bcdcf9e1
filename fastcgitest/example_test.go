package fastcgitest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

// In a test, the context is that of the test: t.Context().
var ctx = context.Background()

func ExampleServe() {
	hello := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", "hello, "+r.Params.Get("QUERY_STRING")+"\n")
	})

	resp, err := fastcgitest.Serve(ctx, hello, fastcgitest.NewRequest("GET", "/?joe", nil))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Header.Get("Content-Type"))
	fmt.Printf("%s", resp.Body)
	// Output:
	// 200 text/plain; charset=utf-8
	// hello, joe
}

func ExampleServeAsync() {
	upper := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		ex.ReadAll(1<<20, func(body []byte, err error) {
			if err != nil {
				ex.Finish(1)
				return
			}
			fastcgi.SendResponse(ex, 200, "text/plain", strings.ToUpper(string(body)))
			ex.Finish(0)
		})
	})

	resp, err := fastcgitest.ServeAsync(ctx, upper, fastcgitest.NewRequest("POST", "/", strings.NewReader("louder\n")))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", resp.Body)
	// Output: LOUDER
}

func ExampleAuthorize() {
	token := fastcgi.AuthorizerFunc(func(r *fastcgi.Request) fastcgi.Decision {
		if r.Params.Get("HTTP_X_TOKEN") != "let-me-in" {
			return fastcgi.Deny(403, "text/plain", "denied\n")
		}
		return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: "joe"})
	})

	req := fastcgitest.NewRequest("GET", "/", nil)
	req.Header.Set("X-Token", "let-me-in")
	resp, err := fastcgitest.Authorize(ctx, token, req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.StatusCode, resp.Variables)
	// Output: 200 [{AUTH_USER joe}]
}

func ExampleFilter() {
	same := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", r.Data())
	})

	req := fastcgitest.NewRequest("GET", "/file.txt", nil)
	req.Data = strings.NewReader("the file's text\n")
	resp, err := fastcgitest.Filter(ctx, same, req)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", resp.Body)
	// Output: the file's text
}

func ExampleServeHTTP() {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /user/{name}", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s, asked for by %s\n", r.PathValue("name"), fastcgi.FromContext(r.Context()).Params.Get("REMOTE_USER"))
	})

	req := fastcgitest.NewRequest("GET", "/user/joe", nil)
	req.SetParam("REMOTE_USER", "jane")
	resp, err := fastcgitest.ServeHTTP(ctx, mux, req)
	if err != nil {
		log.Fatal(err)
	}
	result := resp.Result() // the *http.Response
	fmt.Println(result.Status)
	fmt.Printf("%s", resp.Body)
	// Output:
	// 200 OK
	// joe, asked for by jane
}

func ExampleDo() {
	srv := &fastcgi.Server{
		MaxParams: 1000,
		Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			fastcgi.SendResponse(w, 200, "application/json", r.Params.Len() > 0)
		}),
	}

	resp, err := fastcgitest.Do(ctx, srv, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", resp.Body)
	// Output: true
}

func ExampleStart() {
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		io.WriteString(w, "Content-Type: text/event-stream\r\n\r\n")
		io.WriteString(w, "data: tick\n")
		w.Flush()
		<-r.Context().Done() // until the client goes away
	})}

	call, err := fastcgitest.Start(ctx, srv, fastcgitest.NewRequest("GET", "/events", nil))
	if err != nil {
		log.Fatal(err)
	}
	for lines := bufio.NewScanner(call); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "data:") {
			fmt.Println(lines.Text())
			break
		}
	}
	if err := call.Abort(); err != nil {
		log.Fatal(err)
	}
	resp, err := call.Wait()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", resp.Body)
	// Output:
	// data: tick
	// "data: tick\n"
}

func ExampleNewRecorder() {
	// Something that a handler calls.
	greet := func(w fastcgi.ResponseWriter, name string) error {
		return fastcgi.SendResponse(w, 200, "text/plain", "hello, "+name+"\n")
	}

	rec, err := fastcgitest.NewRecorder(ctx, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		log.Fatal(err)
	}
	if err := greet(rec.Writer, "joe"); err != nil {
		log.Fatal(err)
	}
	resp, err := rec.Result()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", resp.Body)
	// Output: hello, joe
}

func ExampleNewAsyncRecorder() {
	answer := func(ex fastcgi.Exchange, text string) {
		ex.Loop().Post(func() {
			fastcgi.SendResponse(ex, 200, "text/plain", text)
			ex.Finish(0)
		})
	}

	rec, err := fastcgitest.NewAsyncRecorder(ctx, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		log.Fatal(err)
	}
	answer(rec.Exchange, "later\n")
	resp, err := rec.Result()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", resp.Body)
	// Output: later
}
