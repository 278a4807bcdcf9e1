package websocket_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"golang.org/x/net/nettest"
)

// A hijacked connection is a net.Conn in all that nettest knows of, from either end.
//
// Behind lighttpd it is not quite: when a client closes its side, lighttpd 1.4.79 forgets what it has not passed on
// yet, and closes its connection rather than to end STDIN. WebSockets say goodbye before that.
func TestConn(t *testing.T) {
	for _, driver := range drivers {
		conns := make(chan net.Conn)
		url := serveGateway(t, serveApplication(t, driver, hijacker(t, conns)))
		pipe := func() (near, far net.Conn, stop func(), err error) {
			near, err = upgrade(url)
			if err != nil {
				return nil, nil, nil, err
			}
			far = <-conns
			return near, far, func() {
				near.Close()
				far.Close()
			}, nil
		}
		t.Run(fmt.Sprintf("%s/client first", driver), func(t *testing.T) { nettest.TestConn(t, pipe) })
		t.Run(fmt.Sprintf("%s/application first", driver), func(t *testing.T) {
			nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
				near, far, stop, err := pipe()
				return far, near, stop, err
			})
		})
	}
}

// hijacker hands its connections to the test, after they were upgraded.
func hijacker(t *testing.T, conns chan<- net.Conn) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n")
		conns <- conn
	})
}

// upgrade returns a client's connection after it was upgraded.
func upgrade(target string) (net.Conn, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: raw\r\n\r\n", u.Host)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err == nil && (resp.StatusCode != http.StatusSwitchingProtocols || in.Buffered() > 0) {
		err = fmt.Errorf("status %d, %d bytes behind it", resp.StatusCode, in.Buffered())
	}
	return conn, err
}
