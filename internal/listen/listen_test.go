package listen_test

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/address/addresstest"
	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

func mustListen(t *testing.T, addr string, opts *listen.Options) *listen.Listener {
	t.Helper()
	l, err := listen.Listen(addr, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.(*listen.Listener)
}

// wantListenError checks that listening fails with want in its message.
func wantListenError(t *testing.T, addr string, opts *listen.Options, want string) {
	t.Helper()
	l, err := listen.Listen(addr, opts)
	if err == nil {
		l.Close()
		t.Fatalf("Listen(%q) works, want an error with %q", addr, want)
	}
	if !strings.HasPrefix(err.Error(), "fastcgi: ") || !strings.Contains(err.Error(), want) {
		t.Errorf("Listen(%q): %v; want %q in it", addr, err, want)
	}
}

func dial(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestListenMalformedAddress(t *testing.T) {
	for _, tt := range addresstest.Refused {
		t.Run(tt.Addr, func(t *testing.T) { wantListenError(t, tt.Addr, nil, tt.Says) })
	}
}

func TestListenTCP(t *testing.T) {
	for _, addr := range []string{"tcp:127.0.0.1:0", "127.0.0.1:0", "tcp:localhost:0", "localhost:0", "tcp4:localhost:0"} {
		t.Run(addr, func(t *testing.T) {
			l := mustListen(t, addr, nil)
			client := dial(t, l)
			c, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if _, ok := c.(*net.TCPConn); !ok {
				t.Errorf("accepted a %T, want a *net.TCPConn", c)
			}
			if c.RemoteAddr().String() != client.LocalAddr().String() {
				t.Errorf("accepted %v, want %v", c.RemoteAddr(), client.LocalAddr())
			}
		})
	}
}

func TestListenTCPInUse(t *testing.T) {
	l := mustListen(t, "127.0.0.1:0", nil)
	wantListenError(t, l.Addr().String(), nil, "cannot listen on "+l.Addr().String())
}

// FastCGI on TCP: a socket that other machines can reach needs a list of addresses, or a clear word.
func TestListenExposed(t *testing.T) {
	somebody, err := listen.ParseAllow("192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range []string{":0", "0.0.0.0:0", "tcp::0", "tcp:0.0.0.0:0"} {
		t.Run(addr, func(t *testing.T) {
			wantListenError(t, addr, nil, "refusing to listen on")
			wantListenError(t, addr, nil, "ListenOptions.AllowAnyAddress")
			mustListen(t, addr, &listen.Options{Allow: somebody})
			mustListen(t, addr, &listen.Options{AllowAnyAddress: true})
			t.Setenv("FCGI_WEB_SERVER_ADDRS", "192.0.2.1")
			mustListen(t, addr, nil)
			t.Setenv("FCGI_WEB_SERVER_ADDRS", " ")
			wantListenError(t, addr, nil, "FCGI_WEB_SERVER_ADDRS")
		})
	}
}

// The refusal names the address, whose machine may not have it: nothing is opened.
func TestListenExposedForeignAddress(t *testing.T) {
	wantListenError(t, "192.0.2.1:9000", nil, "refusing to listen on 192.0.2.1:9000")
	wantListenError(t, "[2001:db8::1]:9000", nil, "refusing to listen on [2001:db8::1]:9000")
}

func TestListenFileOptionsOnTCP(t *testing.T) {
	for _, opts := range []listen.Options{{Mode: 0o600}, {Owner: "0"}, {Group: "0"}} {
		wantListenError(t, "127.0.0.1:0", &opts, "are for socket files")
	}
}

func TestListenModeIsPermission(t *testing.T) {
	wantListenError(t, "unix:"+t.TempDir()+"/s", &listen.Options{Mode: os.ModeSetgid | 0o660}, "more than permission bits")
}

func TestFd(t *testing.T) {
	l := mustListen(t, "127.0.0.1:0", nil)
	fd, ok := listen.Fd(l)
	inner, innerOK := listen.Fd(l.Unwrap())
	if !ok || !innerOK || fd != inner || fd < 3 {
		t.Errorf("Fd of the listener: %d, %v; of the one beneath: %d, %v", fd, ok, inner, innerOK)
	}
	client := dial(t, l)
	c, err := l.Accept() // would fail or hang if the descriptor were duplicated away or put in blocking mode
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(client, "x"); err != nil {
		t.Error(err)
	}
	l.Close()
	if fd, ok := listen.Fd(l); ok {
		t.Errorf("Fd of a closed listener: %d", fd)
	}
	if fd, ok := listen.Fd(withoutFd{}); ok {
		t.Errorf("Fd of a listener without one: %d", fd)
	}
}

// withoutFd is a listener that is no socket.
type withoutFd struct{ net.Listener }

func TestCloseEndsAccept(t *testing.T) {
	l := mustListen(t, "127.0.0.1:0", nil)
	ended := make(chan error)
	go func() {
		_, err := l.Accept()
		ended <- err
	}()
	l.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept: %v, want net.ErrClosed", err)
	}
	if err := l.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("second Close: %v, want net.ErrClosed", err)
	}
}
