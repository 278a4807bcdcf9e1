package client_test

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/fcgi"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
)

// With a Transport, http.Client speaks to a FastCGI application as to any web server: it follows redirects, keeps cookies, and
// gives an *http.Response.
func ExampleTransport() {
	l, addr, remove := listen()
	defer remove()
	go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/greeting", http.StatusPermanentRedirect)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s: %s", r.Method, r.URL, body)
	}))

	app := &client.Client{Addr: addr, KeepConn: true}
	defer app.Close()
	c := &http.Client{Transport: &client.Transport{Client: app}}

	resp, err := c.Post("http://example.org/old", "text/plain", strings.NewReader("hello"))
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(resp.Status)
	fmt.Printf("%s\n", body)
	// Output:
	// 200 OK
	// POST http://example.org/greeting: hello
}

// With a Transport, httputil.ReverseProxy is in front of a FastCGI application.
func ExampleTransport_reverseProxy() {
	l, addr, remove := listen()
	defer remove()
	go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s asks for %s", r.Header.Get("X-Forwarded-For"), r.URL.Path)
	}))

	app := &client.Client{Addr: addr, KeepConn: true}
	defer app.Close()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: r.In.Host, Path: "/app"})
			r.SetXForwarded()
		},
		Transport: &client.Transport{Client: app, Prefix: "/app", CollectBody: true},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.Printf("%s %s: %v", r.Method, r.URL, err)
			w.WriteHeader(client.StatusOf(err))
		},
	}
	front := httptest.NewServer(proxy)
	defer front.Close()

	resp, err := http.Get(front.URL + "/page")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s\n", body)
	// Output: 127.0.0.1 asks for /app/page
}

func ExampleReadHead() {
	head, body, err := client.ReadHead(strings.NewReader("Location: /elsewhere\r\nX-A: b\r\n\r\nIt is elsewhere."))
	if err != nil {
		log.Fatal(err)
	}
	text, _ := io.ReadAll(body)
	fmt.Println(head.StatusCode(), head.Header["X-A"], string(text))
	// Output: 302 [b] It is elsewhere.
}
