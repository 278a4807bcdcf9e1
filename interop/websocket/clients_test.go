package websocket_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// A kind is that of a message, by its number in RFC 6455 §11.8.
type kind int

const (
	text   kind = 1
	binary kind = 2
)

// A peer is a client's end of a WebSocket. One goroutine may send while another one receives.
type peer interface {
	send(k kind, message []byte) error
	receive() (kind, []byte, error)
	ping() error  // sends one, and waits until it was answered, while another goroutine receives
	close() error // says goodbye, and waits until that was answered
}

// clients are the libraries that the clients are made with.
var clients = []struct {
	library string
	dial    func(t *testing.T, url string, dial dialer) peer
}{
	{"gorilla", dialGorilla},
	{"coder", dialCoder},
}

// A dialer makes the connection under a WebSocket.
type dialer func(ctx context.Context, network, addr string) (net.Conn, error)

type gorillaPeer struct {
	*gorilla.Conn
	pongs chan struct{}
}

func dialGorilla(t *testing.T, url string, dial dialer) peer {
	t.Helper()
	d := gorilla.Dialer{NetDialContext: dial, HandshakeTimeout: patience}
	c, resp, err := d.DialContext(t.Context(), "ws"+url[len("http"):], nil)
	if err != nil {
		t.Fatalf("%v: %v", err, resp)
	}
	t.Cleanup(func() { c.Close() })
	p := gorillaPeer{c, make(chan struct{}, 1)}
	c.SetPongHandler(func(string) error {
		p.pongs <- struct{}{}
		return nil
	})
	return p
}

func (p gorillaPeer) send(k kind, message []byte) error { return p.WriteMessage(int(k), message) }

func (p gorillaPeer) receive() (kind, []byte, error) {
	k, message, err := p.ReadMessage()
	return kind(k), message, err
}

func (p gorillaPeer) ping() error {
	if err := p.WriteControl(gorilla.PingMessage, nil, time.Now().Add(patience)); err != nil {
		return err
	}
	select {
	case <-p.pongs:
		return nil
	case <-time.After(patience):
		return context.DeadlineExceeded
	}
}

func (p gorillaPeer) close() error {
	goodbye := gorilla.FormatCloseMessage(gorilla.CloseNormalClosure, "")
	if err := p.WriteControl(gorilla.CloseMessage, goodbye, time.Now().Add(patience)); err != nil {
		return err
	}
	for {
		if _, _, err := p.ReadMessage(); gorilla.IsCloseError(err, gorilla.CloseNormalClosure) {
			return p.awaitEOF()
		} else if err != nil {
			return err
		}
	}
}

// awaitEOF waits for the other side to close the connection.
func (p gorillaPeer) awaitEOF() error {
	p.NetConn().SetReadDeadline(time.Now().Add(patience))
	_, err := io.Copy(io.Discard, p.NetConn())
	return err
}

type coderPeer struct {
	*coder.Conn
}

func dialCoder(t *testing.T, url string, dial dialer) peer {
	t.Helper()
	transport := &http.Transport{DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	c, resp, err := coder.Dial(t.Context(), url, &coder.DialOptions{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		t.Fatalf("%v: %v", err, resp)
	}
	t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(-1)
	return coderPeer{c}
}

func (p coderPeer) send(k kind, message []byte) error {
	return p.Write(context.Background(), coder.MessageType(k), message)
}

func (p coderPeer) receive() (kind, []byte, error) {
	k, message, err := p.Read(context.Background())
	return kind(k), message, err
}

func (p coderPeer) ping() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.Ping(ctx)
}

func (p coderPeer) close() error { return p.Close(coder.StatusNormalClosure, "") }

// recording is a dialer that tells of its connections.
func recording(conns chan<- net.Conn) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			conns <- conn
		}
		return conn, err
	}
}
