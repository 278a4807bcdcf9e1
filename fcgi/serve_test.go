package fcgi_test

import (
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/fcgi"
)

// With no listener the program serves the socket that it was started with, and with no handler the default mux. That is
// one process for each: standard input is of no use to it afterwards.
func TestServeNil(t *testing.T) {
	for _, impl := range []implementation{standard, ours} {
		t.Run(impl.name, func(t *testing.T) {
			if got := impl.spawn(t, thisProgram(t)).ask(get(1)); got != "status 200" {
				t.Error(got)
			}
		})
	}
}

// Closing the listener ends Serve, whatever drives it, and requests go on.
func TestServeReturns(t *testing.T) {
	for _, impl := range []implementation{standard, ours} {
		t.Run(impl.name, func(t *testing.T) {
			l := listenUnix(t)
			served, running, goOn := make(chan error), make(chan bool), make(chan bool)
			go func() {
				served <- impl.serve(l, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					running <- true
					<-goOn
				}))
			}()
			conn := dial(t, l, get(1))
			<-running
			l.Close()
			if err := <-served; !errors.Is(err, net.ErrClosed) {
				t.Errorf("Serve returned %v", err)
			}
			close(goOn)
			if got := (child{t: t}).read(conn); got != "status 200" {
				t.Errorf("the request that was under way: %s", got)
			}
		})
	}
}

// The errors of TestBodyErrors, over a socket, which another driver serves.
func TestBodyErrorsOverSockets(t *testing.T) {
	for _, impl := range []implementation{standard, ours} {
		t.Run(impl.name, func(t *testing.T) {
			l := listenUnix(t)
			reading, read, served := make(chan bool), make(chan error), make(chan error)
			go func() {
				served <- impl.serve(l, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, err := r.Body.Read(make([]byte, 10))
					reading <- err == nil
					_, err = r.Body.Read(make([]byte, 10))
					read <- err
				}))
			}()
			begun := append(open(1), stdin(1, "body")...)
			for _, tt := range []struct {
				end  func(net.Conn)
				want error
			}{
				{func(conn net.Conn) { conn.Write(abort(1)) }, impl.errAborted},
				{func(conn net.Conn) { conn.Close() }, impl.errClosed},
			} {
				conn := dial(t, l, begun)
				<-reading
				tt.end(conn)
				if err := <-read; err != tt.want {
					t.Errorf("reading ended with %v, want %v", err, tt.want)
				}
			}
			l.Close()
			<-served
		})
	}
}

func listenUnix(t *testing.T) net.Listener {
	// t.TempDir may be too long for a socket's address.
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// dial makes a connection that ends with the test, and sends records on it.
func dial(t *testing.T, l net.Listener, records []byte) net.Conn {
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := conn.Write(records); err != nil {
		t.Fatal(err)
	}
	return conn
}

// The URL is absolute, as net/http/cgi makes it, and its host is the request's.
func TestURL(t *testing.T) {
	for _, tt := range []struct {
		pairs []string
		want  string
	}{
		{nil, "http://example.com/"},
		{[]string{"REQUEST_URI", "/a%2Fb?c=d"}, "http://example.com/a%2Fb?c=d"},
		{[]string{"HTTPS", "on"}, "https://example.com/"},
		{[]string{"HTTP_HOST", "[2001:db8::1]:8080"}, "http://[2001:db8::1]:8080/"},
		{[]string{"HTTP_HOST", ""}, "/"},
		{[]string{"REQUEST_URI", "//other.com/"}, "http://example.com//other.com/"},
	} {
		both(t, func(t *testing.T, impl implementation) {
			var got string
			w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) { got = r.URL.String() })
			w.send(get(1, tt.pairs...))
			if got != tt.want {
				t.Errorf("%q: %s, want %s", tt.pairs, got, tt.want)
			}
		})
	}
}

// Where net/http/cgi fails: the target that is no path.
func TestURLOfTheServer(t *testing.T) {
	var got string
	handler := func(_ http.ResponseWriter, r *http.Request) { got = r.URL.String() }
	synctest.Test(t, func(t *testing.T) {
		ours.start(t, handler).send(get(1, "REQUEST_METHOD", "OPTIONS", "REQUEST_URI", "*"))
	})
	if got != "*" {
		t.Error(got)
	}
}

// The errors read as they do in net/http/fcgi.
func TestErrorTexts(t *testing.T) {
	if got, want := fcgi.ErrRequestAborted.Error(), standard.errAborted.Error(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := fcgi.ErrConnClosed.Error(), standard.errClosed.Error(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
