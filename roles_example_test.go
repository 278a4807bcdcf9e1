package fastcgi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

// An authorizer, which a program has as Server.Authorizer, in front of other applications.
func ExampleAuthorizer() {
	token := fastcgi.AuthorizerFunc(func(r *fastcgi.Request) fastcgi.Decision {
		if r.Params.Get("HTTP_X_TOKEN") != "let-me-in" {
			return fastcgi.Deny(403, "text/plain", "denied\n")
		}
		return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: "joe"})
	})
	for _, header := range []string{"let-me-in", "please"} {
		req := fastcgitest.NewRequest("GET", "/", nil)
		req.Header.Set("X-Token", header)
		resp, err := fastcgitest.Authorize(context.Background(), token, req)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(resp.StatusCode, resp.Variables)
	}
	// Output:
	// 200 [{AUTH_USER joe}]
	// 403 []
}

// A filter: what the web server would have sent is its input.
func ExampleServer_filter() {
	srv := &fastcgi.Server{Filter: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		file, err := io.ReadAll(r.Data())
		if err != nil { // shorter than FCGI_DATA_LENGTH, or the web server is gone
			_ = fastcgi.SendResponse(w, 400, "text/plain", nil)
			return
		}
		_ = fastcgi.SendResponse(w, 200, "text/plain", bytes.ToUpper(file))
	})}
	req := fastcgitest.NewRequest("GET", "/hello.txt", nil)
	req.Role, req.Data = fastcgi.RoleFilter, strings.NewReader("hello\n")
	printAnswer(fastcgitest.Do(context.Background(), srv, req))
	// Output:
	// 200 text/plain; charset=utf-8
	// HELLO
}
