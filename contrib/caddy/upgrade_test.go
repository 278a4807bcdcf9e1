package caddyfcgi_test

//lint:file-ignore SA1019 http2.Transport is the only one that lets ":protocol" pass

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/simple-fastcgi/fastcgi"
)

// A connection becomes one of another protocol, and data passes in both directions.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	app := start(t, fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			w.WriteHeader(http.StatusUpgradeRequired)
			return
		}
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: upper\r\n\r\n")
		for lines := bufio.NewScanner(buffered); lines.Scan(); {
			fmt.Fprintln(conn, strings.ToUpper(lines.Text()))
		}
	})))
	for options, want := range map[string]int{"": 101, "multiplex on": 101, "read_timeout 1s": 101, "no_upgrade": 426} {
		t.Run(options, func(t *testing.T) {
			t.Parallel()
			s := serve(t, proxy(app, options))
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: upper\r\n\r\n")
			in := bufio.NewReader(conn)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != want {
				t.Fatalf("status %d, want %d", resp.StatusCode, want)
			}
			for i := 0; want == 101 && i < 3; i++ {
				fmt.Fprintf(conn, "line %d\n", i)
				if got, err := in.ReadString('\n'); got != fmt.Sprintf("LINE %d\n", i) {
					t.Fatalf("%q, %v", got, err)
				}
			}
		})
	}
}

// A WebSocket over HTTP/2 (RFC 8441), of which Caddy makes a request of HTTP/1.1. Without stream_body, Caddy
// first waits for the beginning of a body, which is not to come.
func TestWebSocketHTTP2(t *testing.T) {
	t.Parallel()
	app := start(t, fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
		for lines := bufio.NewScanner(buffered); lines.Scan(); {
			fmt.Fprintln(conn, strings.ToUpper(lines.Text()))
		}
	})))
	s := serve(t, proxy(app, "multiplex on\nstream_body"))
	transport := h2c()
	defer transport.CloseIdleConnections()
	body, out := io.Pipe()
	defer out.Close()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodConnect, s.url, body)
	req.Header[":protocol"] = []string{"websocket"}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	in := bufio.NewReader(resp.Body)
	for i := range 3 {
		fmt.Fprintf(out, "line %d\n", i)
		if got, err := in.ReadString('\n'); got != fmt.Sprintf("LINE %d\n", i) {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

// h2c speaks HTTP/2 without TLS, and lets ":protocol" pass, which http.Transport takes for no name.
func h2c() *http2.Transport {
	return &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(ctx context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}
}
