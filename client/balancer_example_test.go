package client_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/fcgi"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
)

// Two applications, of which one is drained for a deployment.
func ExampleBalancer() {
	serve := func(name string) (addr string, remove func()) {
		l, addr, remove := listen()
		go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintln(w, "hello from", name)
		}))
		return addr, remove
	}
	blue, removeBlue := serve("blue")
	defer removeBlue()
	green, removeGreen := serve("green")
	defer removeGreen()

	b := &client.Balancer{Applications: []client.Application{
		{Name: "blue", Addr: blue},
		{Name: "green", Addr: green},
	}}
	defer b.Close()
	ask := func() {
		resp, err := b.Do(context.Background(), &client.Request{Params: []client.Pair{
			{Name: "REQUEST_METHOD", Value: "GET"},
			{Name: "REQUEST_URI", Value: "/"},
			{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		}})
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Close()
		response, err := io.ReadAll(resp)
		if err != nil {
			log.Fatal(err)
		}
		_, body, _ := strings.Cut(string(response), "\r\n\r\n")
		fmt.Print(body)
	}

	ask()
	ask()
	if err := b.Drain(context.Background(), "blue"); err != nil {
		log.Fatal(err)
	}
	ask()
	ask()
	for _, a := range b.State().Applications {
		fmt.Println(a.Name, a.Health, a.Drained, a.Completed)
	}
	// Output:
	// hello from blue
	// hello from green
	// hello from green
	// hello from green
	// blue up true 1
	// green up false 3
}
