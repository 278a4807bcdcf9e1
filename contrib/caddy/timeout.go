package caddyfcgi

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// errReadTimeout ends a response whose application has been silent for too long.
var errReadTimeout error = readTimeoutError{}

type readTimeoutError struct{}

func (readTimeoutError) Error() string {
	return "the application was silent for longer than read_timeout"
}
func (readTimeoutError) Timeout() bool   { return true }
func (readTimeoutError) Temporary() bool { return true }

// A timedBody is the body of a response each part of which may take some time.
type timedBody struct {
	io.ReadCloser
	timeout time.Duration
	timer   *time.Timer // runs while Read waits
	cancel  context.CancelCauseFunc
}

// timedBodyOf returns the body of a response with a Read that calls cancel when it takes
// too long. After a switch of protocols silence is no fault; there the context ends
// with the client's request.
func timedBodyOf(resp *http.Response, timeout time.Duration, cancel context.CancelCauseFunc) io.ReadCloser {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return resp.Body
	}
	b := &timedBody{ReadCloser: resp.Body, timeout: timeout, cancel: cancel}
	b.timer = time.AfterFunc(timeout, func() { cancel(errReadTimeout) })
	b.timer.Stop()
	return b
}

func (b *timedBody) Read(p []byte) (int, error) {
	b.timer.Reset(b.timeout)
	defer b.timer.Stop()
	return b.ReadCloser.Read(p)
}

func (b *timedBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// A timedConn is a connection to an application that has to take what is written
// to it.
type timedConn struct {
	net.Conn
	timeout time.Duration
}

func (c *timedConn) Write(p []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(c.timeout)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}

// A watchedBody is the body of a request that knows whether anything was read of
// it.
type watchedBody struct {
	io.ReadCloser
	read atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}
