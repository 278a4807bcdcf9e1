package fastcgi_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// A whole program. A web server starts it, or systemd, or `fcgi serve -- ./program`, and passes it a socket; or it runs as
// plain CGI.
func ExampleMain() {
	fastcgi.Main(fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", "hello, "+r.Params.Get("REMOTE_ADDR")+"\n")
	}))
}

// What a main function does that has settings, and a socket of its own. It returns after SIGTERM or an interrupt, when
// requests have ended.
func ExampleServer_Run() {
	srv := &fastcgi.Server{
		Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			fastcgi.SendResponse(w, 200, "text/plain", "hello\n")
		}),
		Addr:           "unix:/run/hello/hello.sock",
		ListenOptions:  fastcgi.ListenOptions{Group: "www-data"}, // who may connect
		MaxConcurrency: 100,
		DrainTimeout:   10 * time.Second,
	}
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// A listener for Serve, in a program that ends in its own way.
func ExampleListen() {
	l, err := fastcgi.Listen("127.0.0.1:0", &fastcgi.ListenOptions{Allow: "127.0.0.1, 10.0.0.0/8"})
	if err != nil {
		log.Fatal(err)
	}
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", "hello\n")
	})}
	served := make(chan error)
	go func() { served <- srv.Serve(l) }()
	fmt.Println("listening on", l.Addr().Network())

	if err := srv.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	fmt.Println(<-served)
	// Output:
	// listening on tcp
	// fastcgi: server closed
}

// TLS between two machines. Clients must show a certificate of the authority in ca.pem. All three files are read again when they
// have changed.
func ExampleListen_tls() {
	l, err := fastcgi.Listen("tls::9000", &fastcgi.ListenOptions{
		CertFile:     "/etc/app/app.pem",
		KeyFile:      "/etc/app/app.key",
		ClientCAFile: "/etc/app/ca.pem",
	})
	if err != nil {
		log.Fatal(err)
	}
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		fastcgi.SendResponse(w, 200, "text/plain", "hello\n")
	})}
	log.Fatal(srv.Serve(l))
}
