//go:build unix

package gateway_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// listenFull listens on a Unix socket that nobody accepts from, with no room for another connection.
func listenFull(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "full.sock")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		nc, err := net.Dial("unix", path)
		if err != nil {
			return path
		}
		t.Cleanup(func() { nc.Close() })
	}
	t.Fatal("there is always room")
	return ""
}

// listenNoMore leaves a socket file behind on which nobody listens, as a process that was killed does.
func listenNoMore(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "left.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	return path
}

// X7: an application that is away for all of DialTimeout is a service that is unavailable for now, for the application
// as for an authorizer.
func TestX7Away(t *testing.T) {
	for name, path := range map[string]string{
		"queue full":     listenFull(t),
		"nobody listens": listenNoMore(t),
		"no socket file": filepath.Join(t.TempDir(), "none.sock"),
	} {
		t.Run(name, func(t *testing.T) {
			f := newFront(t, &gateway.Handler{Client: &client.Client{DialTimeout: time.Millisecond}}, "unix:"+path)
			resp, body := f.get(t, "/")
			if resp.StatusCode != 503 || strings.Contains(body, path) || !strings.Contains(f.log.String(), path) {
				t.Errorf("status %d, page %q, log %q", resp.StatusCode, body, f.log.String())
			}
			authorizer := &client.Client{Addr: "unix:" + path, DialTimeout: time.Millisecond}
			t.Cleanup(func() { authorizer.Close() })
			f = scripted(t, &gateway.Handler{Authorizers: []client.Doer{authorizer}}, params)
			if resp, _ := f.get(t, "/"); resp.StatusCode != 503 {
				t.Errorf("with it as an authorizer: status %d", resp.StatusCode)
			}
		})
	}
}

// X7: one that is away for a moment costs no request.
func TestX7BackInTime(t *testing.T) {
	for name, path := range map[string]string{
		"queue full":     listenFull(t),
		"nobody listens": listenNoMore(t),
	} {
		t.Run(name, func(t *testing.T) {
			addr := fakeapp.Start(t, func(a *fakeapp.Conn) {
				if r := a.Request(); r != nil {
					a.Say(r.Answer("Content-Type: a/b\n\nback"))
				}
			})
			var tries atomic.Int32
			c := &client.Client{Dial: func(ctx context.Context) (net.Conn, error) {
				if tries.Add(1) == 3 {
					if err := os.Rename(strings.TrimPrefix(addr, "unix:"), path); err != nil {
						t.Error(err)
					}
				}
				return new(net.Dialer).DialContext(ctx, "unix", path)
			}}
			f := newFront(t, &gateway.Handler{Client: c}, "")
			if resp, body := f.get(t, "/"); resp.StatusCode != 200 || body != "back" || tries.Load() != 3 {
				t.Errorf("status %d, %q after %d tries", resp.StatusCode, body, tries.Load())
			}
		})
	}
}

// X7: what waiting does not mend is a bad gateway at once, also if it looks alike where it is not about connecting.
func TestX7NotAway(t *testing.T) {
	for name, err := range map[string]error{
		"no such host":       &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", IsNotFound: true}},
		"forbidden":          &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EACCES)},
		"reset when reading": &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)},
		"another's file":     os.ErrNotExist,
	} {
		t.Run(name, func(t *testing.T) {
			c := &client.Client{Dial: func(context.Context) (net.Conn, error) { return nil, err }}
			f := newFront(t, &gateway.Handler{Client: c}, "")
			if resp, _ := f.get(t, "/"); resp.StatusCode != 502 {
				t.Errorf("status %d", resp.StatusCode)
			}
		})
	}
}
