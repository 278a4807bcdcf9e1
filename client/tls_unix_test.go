//go:build unix

package client_test

import (
	"context"
	"net"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
)

// X7: nobody listening is tried again, and the handshake that follows is a part of the same attempt.
func TestX7TLS(t *testing.T) {
	app := startTLS(t, localhost, nil)
	c := app.client(t, &client.Client{})
	tries := 0
	c.Dial = func(ctx context.Context) (net.Conn, error) {
		if tries++; tries < 3 {
			return nil, dialError(syscall.ECONNREFUSED)
		}
		return new(net.Dialer).DialContext(ctx, "tcp", strings.TrimPrefix(app.addr, "tls:"))
	}
	expect(t, c, post(strings.NewReader("hello")), "hello")
	if tries != 3 {
		t.Errorf("%d tries", tries)
	}
}
