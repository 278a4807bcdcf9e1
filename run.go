package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/plaincgi"
)

// Main is the main function of a program that is nothing but a handler: it runs
// a Server with it, and exits with status 1 and a message if that fails.
func Main(h Handler) {
	if err := (&Server{Handler: h}).Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Run is a whole main function. It serves the sockets that the parent process
// passed (fd 0, or systemd's LISTEN_FDS), or Addr if that is set, until ctx ends or
// the process gets SIGTERM or an interrupt. Then it lets requests finish for
// DrainTimeout, cancels what is left, gives that a second to end, and returns nil.
// A second signal cuts that short, unless it comes within a second: process managers
// signal a group as well as its leader, and mean it once.
//
// Where Addr has it listen is logged, once it does: whoever gave an address waits for
// that.
//
// A program that was started as plain CGI, without a socket, serves that one
// request with the same handler, and Run returns when it has: nil if the appStatus
// is zero.
func (s *Server) Run(ctx context.Context) error {
	if _, err := s.start(); err != nil {
		return err
	}
	listeners, err := s.openListeners()
	if isCGI(err) {
		return s.runCGI(ctx)
	}
	if err != nil {
		return err
	}
	if s.Addr != "" {
		l := listeners[0]
		s.engine.Log.Info("fastcgi: listening", "address", listen.Scheme(l)+":"+l.Addr().String())
	}
	// Without this a closed error log, which is a pipe of the web server's,
	// would end the process.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		serving.Go(func() { failed <- s.Serve(l) })
	}
	defer serving.Wait()
	select {
	case err := <-failed:
		return errors.Join(errUnlessClosed(err), s.Close())
	case <-ctx.Done():
	case <-signals:
	}
	return s.finish(signals)
}

// cancelGrace is how long requests that took longer than DrainTimeout have to put
// things in order, once they are cancelled, before the process ends.
const cancelGrace = time.Second

// finish drains. When that takes too long it closes, and gives the handlers a
// moment to find out. Another signal cuts both short.
func (s *Server) finish(signals <-chan os.Signal) error {
	waiting, hurry := context.WithCancel(context.Background())
	defer hurry()
	ended := make(chan struct{})
	defer close(ended)
	first := time.Now()
	go func() {
		for {
			select {
			case <-signals:
				if time.Since(first) >= signalDebounce {
					hurry()
					return
				}
			case <-ended:
				return
			}
		}
	}()
	drain, stop := withTimeout(waiting, limit.Of(s.DrainTimeout, DefaultDrainTimeout, 0))
	defer stop()
	if err := s.Shutdown(drain); err == nil {
		return nil
	}
	s.engine.Log.Warn("fastcgi: requests cut off", "active", s.engine.Stats().ActiveRequests)
	err := s.Close()
	grace, stop := withTimeout(waiting, cancelGrace)
	defer stop()
	// What has not ended by then ends with the process.
	_ = waitFor(grace, s.engine.Idle())
	return err
}

// signalDebounce is how long after a signal another is the same one, told twice.
const signalDebounce = time.Second

// withTimeout is context.WithTimeout, without a timeout if d is zero.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// runCGI serves the request of a plain CGI program.
func (s *Server) runCGI(ctx context.Context) error {
	l, near := plaincgi.NewListener()
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	stop := context.AfterFunc(ctx, func() { s.Close() })
	status, err := plaincgi.Exchange(ctx, near)
	stop()
	near.Close()
	s.Close()
	serving.Wait()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("fastcgi: plain CGI request failed: %w", err)
	}
	if status != 0 {
		return fmt.Errorf("fastcgi: plain CGI request ended with appStatus %d", status)
	}
	return nil
}

func errUnlessClosed(err error) error {
	if errors.Is(err, ErrServerClosed) || errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
