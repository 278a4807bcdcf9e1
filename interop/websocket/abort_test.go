package websocket_test

import (
	"net"
	"net/http"
	"testing"

	gorilla "github.com/gorilla/websocket"
)

// A client that is gone without a word is noticed by an application that has nothing to send to it.
func TestClientAborts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		abort func(*net.TCPConn) error
	}{
		{"reset", func(c *net.TCPConn) error { return c.SetLinger(0) }},
		{"closed", func(*net.TCPConn) error { return nil }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, s session) {
				exchange(t, s)
				if err := tt.abort(s.conn.(*net.TCPConn)); err != nil {
					t.Fatal(err)
				}
				s.conn.Close()
				if err := receive(t, s.ended); err == nil || closedNormally(err) {
					t.Errorf("the application saw %v", err)
				}
			})
		})
	}
}

// An application that is gone without a word is noticed by its client, which has nothing to send to it, either.
func TestApplicationAborts(t *testing.T) {
	for _, tt := range []struct {
		name  string
		abort func(*gorilla.Conn)
	}{
		{"panic", func(*gorilla.Conn) { panic(http.ErrAbortHandler) }},
		{"closed", func(c *gorilla.Conn) { c.NetConn().Close() }},
		{"in the middle of a frame", func(c *gorilla.Conn) {
			// A binary message of 100 bytes, of which there are two.
			c.NetConn().Write([]byte{0x82, 100, 'a', 'b'})
			c.NetConn().Close()
		}},
	} {
		for _, front := range fronts {
			for _, client := range clients {
				t.Run(tt.name+"/"+front.name+"/"+client.library, func(t *testing.T) {
					app := serveApplication(t, "", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						c, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
						if err != nil {
							t.Error(err)
							return
						}
						c.ReadMessage()
						tt.abort(c)
					}))
					conns := make(chan net.Conn, 1)
					p := client.dial(t, front.serve(t, app), recording(conns))
					if err := p.send(text, []byte("go")); err != nil {
						t.Fatal(err)
					}
					if _, got, err := p.receive(); err == nil || closedNormally(err) {
						t.Errorf("the client saw %q, %v", got, err)
					}
				})
			}
		}
	}
}

// exchange has a message go there and back.
func exchange(t *testing.T, s session) {
	t.Helper()
	if err := s.send(text, []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, got, err := s.receive(); string(got) != "hello" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
}
