package fastcgi_test

import (
	"net"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A pickyListener is a socket with an Accept of its own, as programs make them that refuse peers or count connections.
type pickyListener struct {
	*net.UnixListener
	asked chan struct{}
}

func (l pickyListener) Accept() (net.Conn, error) {
	c, err := l.UnixListener.Accept()
	if err == nil {
		l.asked <- struct{}{}
	}
	return c, err
}

// What accepts on the socket itself must not pass over an Accept that wraps it.
func TestListenerWithAnAcceptOfItsOwn(t *testing.T) {
	p := place{driver{name: fastcgi.DriverAuto}, "unix"}
	l := pickyListener{p.listen(t).(*net.UnixListener), make(chan struct{}, 1)}
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {})}
	web := p.serveOn(t, srv, l).dial(t)
	web.ask(1)
	if len(l.asked) != 1 {
		t.Error("the connection did not go through Accept")
	}
}
