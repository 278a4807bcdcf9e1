package gateway_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
)

// Silence ends after UpgradeIdleTimeout, and not while somebody says something.
func TestUpgradeIdleTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const limit = time.Minute
		read := make(chan error, 1)
		web, app := newPipeListener(), newPipeListener()
		srv := &fastcgi.Server{
			Driver: fastcgi.DriverGoroutine, ErrorLog: slog.New(slog.DiscardHandler),
			Handler: talker(t, func(conn net.Conn) {
				_, err := io.Copy(conn, conn)
				read <- err
			}),
		}
		c := &client.Client{Dial: func(context.Context) (net.Conn, error) { return app.dial() }}
		h := &gateway.Handler{
			UpgradeIdleTimeout: limit, ErrorLog: slog.New(slog.DiscardHandler),
			Client: c,
		}
		front := &http.Server{Handler: h}
		var serving sync.WaitGroup
		serving.Go(func() { srv.Serve(app) })
		serving.Go(func() { front.Serve(web) })
		defer serving.Wait()
		defer srv.Close()
		defer front.Close()
		defer c.Close()

		conn, err := web.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		in := upgradeOn(t, conn, "")
		for range 3 {
			time.Sleep(limit - time.Nanosecond)
			io.WriteString(conn, "x")
			if _, err := in.ReadByte(); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(limit - time.Nanosecond)
		synctest.Wait()
		if len(read) > 0 {
			t.Error("it ended early")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if len(read) == 0 {
			t.Fatal("it goes on")
		}
		if err := <-read; err == nil {
			t.Error("the application took it for an end")
		}
		if got, err := io.ReadAll(in); len(got) > 0 || err != nil {
			t.Errorf("got %q, %v", got, err)
		}
	})
}

// A pipeListener accepts the far ends of the pipes that it makes.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial() (net.Conn, error) {
	near, far := net.Pipe()
	select {
	case l.conns <- pipeConn{far}:
		return near, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

// A pipeConn says what a socket does once it is closed.
type pipeConn struct{ net.Conn }

func (c pipeConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if errors.Is(err, io.ErrClosedPipe) {
		err = net.ErrClosed
	}
	return n, err
}
