package listen

import (
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/address"
)

// tcp resolves the address once and judges the very one it then listens on.
func (o *opener) tcp(a address.Address) (net.Listener, error) {
	if err := o.refuseFileOptions(); err != nil {
		return nil, err
	}
	addr, err := net.ResolveTCPAddr(a.Network(), a.Name())
	if err != nil {
		return nil, fmt.Errorf("fastcgi: cannot listen on %s: %w", a.Name(), err)
	}
	if err := o.checkExposure(addr); err != nil {
		return nil, err
	}
	l, err := net.ListenTCP(a.Network(), addr)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: cannot listen on %s: %w", a.Name(), err)
	}
	return o.secure(&Listener{inner: l, guard: o.guard}), nil
}

// checkExposure refuses a socket at addr that would let in more peers than the options can tell apart.
func (o *opener) checkExposure(addr net.Addr) error {
	tcp, ok := addr.(*net.TCPAddr)
	switch {
	case !ok:
		return nil
	case o.guard.hasUIDs():
		return fmt.Errorf("fastcgi: ListenOptions.AllowUIDs cannot be checked on %v: use a Unix socket", addr)
	case tcp.IP.IsLoopback(), o.guard.hasList(), o.opts.AllowAnyAddress, o.opts.demandsCertificate():
		return nil
	case o.tls != nil:
		return fmt.Errorf("fastcgi: refusing to listen on %v: FastCGI has no authentication, TLS without client certificates adds none, and "+
			"other machines can connect: set ListenOptions.ClientCAFile, list the web servers' addresses in %s or ListenOptions.Allow, "+
			"or set ListenOptions.AllowAnyAddress", addr, webServerAddrs)
	}
	return fmt.Errorf("fastcgi: refusing to listen on %v: FastCGI has no authentication and other machines can connect: "+
		"list the web servers' addresses in %s or ListenOptions.Allow, use a Unix socket or 127.0.0.1, or set ListenOptions.AllowAnyAddress",
		addr, webServerAddrs)
}
