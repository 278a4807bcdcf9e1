package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// listen makes a Unix socket for an example's application.
func listen() (l net.Listener, addr string, remove func()) {
	dir, err := os.MkdirTemp("", "fastcgi")
	if err != nil {
		log.Fatal(err)
	}
	path := filepath.Join(dir, "app.sock")
	l, err = net.Listen("unix", path)
	if err != nil {
		log.Fatal(err)
	}
	return l, "unix:" + path, func() {
		l.Close()
		os.RemoveAll(dir)
	}
}

func ExampleClient_Do() {
	l, addr, remove := listen()
	defer remove()
	go fcgi.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintf(w, "%s %s: %s\n", r.Method, r.URL.Path, body)
	}))

	c := &client.Client{Addr: addr}
	defer c.Close()
	resp, err := c.Do(context.Background(), &client.Request{
		Params: []client.Pair{
			{Name: "REQUEST_METHOD", Value: "POST"},
			{Name: "REQUEST_URI", Value: "/greeting"},
			{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
			{Name: "HTTP_HOST", Value: "localhost"},
			{Name: "CONTENT_LENGTH", Value: "5"},
		},
		Stdin:  strings.NewReader("hello"),
		Stderr: os.Stderr,
	})
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
	end, err := resp.Wait()
	fmt.Println(end.AppStatus, end.Status, err)
	// Output:
	// POST /greeting: hello
	// 0 REQUEST_COMPLETE <nil>
}

// net/http/fcgi serves one role only.
func ExampleRefusedError() {
	l, addr, remove := listen()
	defer remove()
	go fcgi.Serve(l, http.NotFoundHandler())

	c := &client.Client{Addr: addr}
	defer c.Close()
	_, err := c.Do(context.Background(), &client.Request{Role: protocol.RoleAuthorizer})
	var refused *client.RefusedError
	if errors.As(err, &refused) {
		fmt.Println(refused.Status)
	}
	// Output: UNKNOWN_ROLE
}

func ExampleClient_GetValues() {
	l, addr, remove := listen()
	defer remove()
	go fcgi.Serve(l, http.NotFoundHandler())

	c := &client.Client{Addr: addr}
	values, err := c.GetValues(context.Background(), protocol.VarMpxsConns)
	fmt.Println(values, err)
	// Output: map[FCGI_MPXS_CONNS:1] <nil>
}

// An application on another machine, by TLS. It is to show a certificate of the authority in ca.pem, and is shown the one in web.pem.
// All three files are read again when they have changed.
func ExampleClient_tls() {
	c := &client.Client{
		Addr:     "tls:app.internal:9000",
		CAFile:   "/etc/gateway/ca.pem",
		CertFile: "/etc/gateway/web.pem",
		KeyFile:  "/etc/gateway/web.key",
		KeepConn: true,
	}
	defer c.Close()
	resp, err := c.Do(context.Background(), &client.Request{
		Params: []client.Pair{{Name: "REQUEST_METHOD", Value: "GET"}},
		Stderr: os.Stderr,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Close()
	io.Copy(os.Stdout, resp)
}
