package drivertest

import (
	"crypto/tls"
	"net"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
)

// A tlsListener accepts connections with TLS over them, as tls.NewListener's does.
type tlsListener struct {
	net.Listener
	config *tls.Config // of the clients
}

func newTLSListener(t testing.TB) *tlsListener {
	t.Helper()
	authority := certstest.NewAuthority(t, "drivertest")
	config := &tls.Config{Certificates: []tls.Certificate{authority.Pair("localhost").TLS(t)}}
	return &tlsListener{
		Listener: tls.NewListener(ListenOn(t, "tcp", "127.0.0.1:0"), config),
		config:   &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"},
	}
}

// dial does not wait for the handshake, for which the driver has to read.
func (l *tlsListener) dial() (net.Conn, error) {
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	return &tlsPeer{tls.Client(nc, l.config)}, nil
}

// under is what carries a peer's connection.
func under(peer net.Conn) net.Conn {
	if p, ok := peer.(*tlsPeer); ok {
		return p.NetConn()
	}
	return peer
}

// shakeHands has a connection with TLS ready for use. Those who do not read need it, as a handshake may come in the first Read or Write.
func shakeHands(t testing.TB, peer net.Conn) {
	t.Helper()
	if p, ok := peer.(*tlsPeer); ok {
		if err := p.Handshake(); err != nil {
			t.Fatal(err)
		}
	}
}

// A tlsPeer is a client's connection. Both of its ends are closed as with TCP, the one of TLS first.
type tlsPeer struct{ *tls.Conn }

func (p *tlsPeer) CloseWrite() error {
	if err := p.Handshake(); err != nil {
		return err
	}
	if err := p.Conn.CloseWrite(); err != nil {
		return err
	}
	// The driver may have read the end by now, and closed the connection with something of TLS unread.
	_ = p.NetConn().(*net.TCPConn).CloseWrite()
	return nil
}
