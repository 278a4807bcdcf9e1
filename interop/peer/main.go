// Peer does what the probe does and has nothing of ours: it stands on net/http/fcgi and, as a plain CGI program, on
// net/http/cgi. What a web server does not let it do either is a limit of that web server.
//
// It takes the probe's arguments, of which only -listen matters.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/cgi"
	"net/http/fcgi"
	"os"
	"os/signal"
	"strings"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("peer: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes (default: the socket that was passed)")
	flag.String("mode", "", "accepted for the probe's sake")
	flag.String("driver", "", "accepted for the probe's sake")
	flag.Parse()

	l, err := open(*listen)
	if err != nil {
		// Without a socket this is a CGI program.
		if err := cgi.Serve(http.HandlerFunc(handleCGI)); err != nil {
			log.Fatal(err)
		}
		os.Exit(status)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, endings...)
	go func() {
		<-signals
		l.Close()
	}()
	serve(l)
	drain()
}

// open returns the socket of an address or, without one, that which systemd or a web server passed.
func open(addr string) (net.Listener, error) {
	network, name, ok := strings.Cut(addr, ":")
	switch {
	case ok:
		return net.Listen(network, name)
	case os.Getenv("LISTEN_FDS") == "1":
		return net.FileListener(os.NewFile(3, "LISTEN_FDS"))
	}
	return net.FileListener(os.Stdin)
}

// serve has net/http/fcgi serve each connection by itself, so that the handler knows on which it is called. It returns
// when the listener is closed.
func serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		w := newWire(c)
		go fcgi.Serve(&single{conn: w}, http.HandlerFunc(w.handle))
	}
}

// A single is a listener that accepts one connection, and no more until the process ends.
type single struct{ conn net.Conn }

func (s *single) Accept() (net.Conn, error) {
	c := s.conn
	if c == nil {
		select {}
	}
	s.conn = nil
	return c, nil
}

func (s *single) Close() error   { return nil }
func (s *single) Addr() net.Addr { return nil }
