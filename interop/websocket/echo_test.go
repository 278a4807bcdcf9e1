package websocket_test

import (
	"bytes"
	"fmt"
	"net"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// drivers are what moves an application's bytes.
var drivers = []fastcgi.Driver{fastcgi.DriverGoroutine, fastcgi.DriverAuto}

// everywhere runs a test behind each web server, with each library at either end, on each driver.
func everywhere(t *testing.T, test func(t *testing.T, s session)) {
	for _, front := range fronts {
		for _, echo := range echoes {
			for _, client := range clients {
				for _, driver := range drivers {
					t.Run(fmt.Sprintf("%s/%s server/%s client/%s", front.name, echo.library, client.library, driver), func(t *testing.T) {
						ended, conns := make(chan error, 1), make(chan net.Conn, 1)
						url := front.serve(t, serveApplication(t, driver, echo.handler(ended)))
						p := client.dial(t, url, recording(conns))
						test(t, session{p, receive(t, conns), ended})
					})
				}
			}
		}
	}
}

// A session is a WebSocket with an echo.
type session struct {
	peer
	conn  net.Conn     // the client's, under it
	ended <-chan error // why the application stopped
}

const messages = 10_000

// message returns the n-th message: text or binary, short or on either side of a length at which something changes:
// WebSocket's frames, FastCGI's records, our buffers.
func message(n int) (kind, []byte) {
	size := n % 100
	edges := []int{125, 126, 127, 4096, 32 << 10, 65535, 65536, 65537, 200_000}
	if n%251 == 0 {
		size = edges[n/251%len(edges)]
	}
	b := append(fmt.Appendf(nil, "%d ", n), bytes.Repeat([]byte{'a' + byte(n%26)}, size)...)
	if n%2 == 0 {
		return text, b
	}
	return binary, append(b, 0, 0xff, '\r', '\n')
}

// Messages of both kinds go both ways, as they were and in order, with pings among them; then both sides close properly.
func TestEcho(t *testing.T) {
	everywhere(t, func(t *testing.T, s session) {
		received := make(chan struct{})
		go func() {
			defer close(received)
			for n := range messages {
				k, got, err := s.receive()
				if wantKind, want := message(n); err != nil || k != wantKind || !bytes.Equal(got, want) {
					t.Errorf("message %d: kind %d, %d bytes, %v; want kind %d, %d bytes", n, k, len(got), err, wantKind, len(want))
					return
				}
			}
		}()
		for n := range messages {
			if err := s.send(message(n)); err != nil {
				t.Fatal(err)
			}
			if n%1000 == 0 && n < messages-1000 { // the last ones may find nobody who receives
				if err := s.ping(); err != nil {
					t.Fatalf("ping: %v", err)
				}
			}
		}
		receive(t, received)
		if err := s.close(); err != nil {
			t.Errorf("close: %v", err)
		}
		if err := receive(t, s.ended); !closedNormally(err) {
			t.Errorf("the application saw %v", err)
		}
	})
}

// sockets is how many there are at once.
const sockets = 200

// Many sockets at once do not get in each other's way.
func TestManySockets(t *testing.T) {
	for _, front := range fronts {
		for _, driver := range drivers {
			t.Run(fmt.Sprintf("%s/%s", front.name, driver), func(t *testing.T) {
				ended := make(chan error, sockets)
				url := front.serve(t, serveApplication(t, driver, gorillaEcho(ended)))
				peers := make([]peer, sockets)
				for i := range peers {
					peers[i] = dialGorilla(t, url, nil)
				}
				var all sync.WaitGroup
				for i, p := range peers {
					all.Go(func() {
						for n := i; n < i+20; n++ {
							k, want := message(n)
							if err := p.send(k, want); err != nil {
								t.Error(err)
								return
							}
							if _, got, err := p.receive(); err != nil || !bytes.Equal(got, want) {
								t.Errorf("message %d: %d bytes, %v; want %d", n, len(got), err, len(want))
								return
							}
						}
						if err := p.close(); err != nil {
							t.Errorf("close: %v", err)
						}
					})
				}
				all.Wait()
				for range sockets {
					if err := receive(t, ended); !closedNormally(err) {
						t.Errorf("the application saw %v", err)
					}
				}
			})
		}
	}
}
