package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestStatusOf(t *testing.T) {
	refused := func(s protocol.Status) error { return &client.RefusedError{Status: s} }
	for _, tt := range []struct {
		err  error
		want int
	}{
		{&http.MaxBytesError{Limit: 1}, 413},
		{&client.ParamTooLargeError{}, 431},
		{refused(protocol.StatusUnknownRole), 500},
		{refused(protocol.StatusOverloaded), 503},
		{refused(protocol.StatusCantMultiplex), 503},
		{refused(protocol.Status(99)), 502},
		{client.ErrMalformedHead, 502},
		{io.ErrUnexpectedEOF, 502},
		{client.ErrClosed, 503},
		{client.ErrUnavailable, 503},
		{fmt.Errorf("%w: %w", client.ErrUnavailable, client.ErrHeaderTimeout), 503},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, 503},
		{client.ErrHeaderTimeout, 504},
		{context.DeadlineExceeded, 504},
		{context.Canceled, 502},
		{errors.New("something"), 502},
	} {
		if got := client.StatusOf(fmt.Errorf("fastcgi: %w", tt.err)); got != tt.want {
			t.Errorf("%v: status %d, want %d", tt.err, got, tt.want)
		}
	}
}

// Several applications stand behind a Transport as well as one: a body that is sent to one that is dead goes to another.
func TestTransportBalancer(t *testing.T) {
	b := &client.Balancer{Applications: []client.Application{{Addr: "unix:/nowhere"}, {Addr: serveOurs(t, site)}}}
	defer b.Close()
	h := &http.Client{Transport: &client.Transport{Client: b, ErrorLog: slog.New(slog.DiscardHandler)}, Timeout: patience}
	for range 4 {
		browse(t, h, "http://app.example", long)
	}
	h.CloseIdleConnections()
}
