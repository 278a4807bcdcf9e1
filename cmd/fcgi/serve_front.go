package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"
)

// How long the HTTP server waits for clients; for the application's answers, the gateway has its own.
const (
	headerTimeout = 10 * time.Second
	idleTimeout   = 60 * time.Second
)

// A front is the HTTP side of serve: the port, and the files under --root.
type front struct {
	url      string   // what to type into a browser
	root     *os.Root // nil without --root
	listener net.Listener
	server   http.Server
	active   atomic.Int64 // requests under way
	started  bool
	broken   chan error // learns why the server stopped by itself
	over     chan struct{}
}

// newFront opens the folder and takes the port, where connections wait until start.
func newFront(o *serveOptions, log *journal) (*front, error) {
	f := &front{broken: make(chan error, 1), over: make(chan struct{})}
	f.server = http.Server{ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, ErrorLog: log.standard()}
	var err error
	if o.root != "" {
		if f.root, err = openFiles(o.root); err != nil {
			return nil, err
		}
	}
	if f.listener, err = net.Listen("tcp", o.listen); err != nil {
		f.close()
		return nil, listenFailure(o, err)
	}
	f.url = browserURL(f.listener.Addr().(*net.TCPAddr))
	return f, nil
}

// start begins to serve.
func (f *front) start(handler http.Handler) {
	f.server.Handler = f.counting(handler)
	f.started = true
	go func() {
		defer close(f.over)
		if err := f.server.Serve(f.listener); !errors.Is(err, http.ErrServerClosed) {
			f.broken <- err
		}
	}()
}

// counting keeps count of the requests under way.
func (f *front) counting(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.active.Add(1)
		defer f.active.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// drain takes no more requests and waits for those under way until ctx is done. It returns how many were cut off then.
func (f *front) drain(ctx context.Context) (cut int64) {
	if f.server.Shutdown(ctx) == nil {
		return 0
	}
	cut = f.active.Load()
	f.server.Close()
	return cut
}

// close closes what is still open.
func (f *front) close() {
	if f.listener != nil {
		f.listener.Close()
		f.server.Close()
	}
	if f.started {
		<-f.over
	}
	if f.root != nil {
		f.root.Close()
	}
}

// browserURL is the URL of an address that was listened on. A browser cannot go to "every address".
func browserURL(addr *net.TCPAddr) string {
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(addr.Port))
}

// listenFailure says why the port could not be had.
func listenFailure(o *serveOptions, err error) error {
	host, port, splitErr := net.SplitHostPort(o.listen)
	another := "Choose another, as in: fcgi serve --listen " + net.JoinHostPort(host, "8081") + ", or port 0 for any that is free."
	var dns *net.DNSError
	switch {
	case splitErr != nil:
		return misused("--listen is "+strconv.Quote(o.listen)+", which is not HOST:PORT", "As in: --listen "+defaultListen+", or --listen :8080 for every address of this machine.")
	case errors.Is(err, syscall.EADDRINUSE):
		return failed(err, "port "+port+" is taken by another program ("+o.listen+")", another)
	case errors.Is(err, syscall.EACCES):
		return failed(err, "only the superuser may use port "+port, another)
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.As(err, &dns) && dns.IsNotFound:
		return failed(err, "this machine has no address "+host, "To serve on this machine alone: --listen "+net.JoinHostPort("127.0.0.1", port))
	}
	return failed(err, "cannot listen on "+o.listen+": "+err.Error(), "")
}
