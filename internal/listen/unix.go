package listen

import (
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/address"
)

// unix makes a socket file or an abstract socket.
func (o *opener) unix(a address.Address) (net.Listener, error) {
	if err := a.Available(); err != nil {
		return nil, err
	}
	listen := o.socketFile
	if a.IsAbstract() {
		listen = o.abstract
	}
	l, err := listen(a.Name())
	if err != nil {
		return nil, fmt.Errorf("fastcgi: cannot listen on %v: %w", a, err)
	}
	return l, nil
}

// abstract makes an abstract socket, a name without a file and so without a mode.
func (o *opener) abstract(name string) (net.Listener, error) {
	if err := o.refuseFileOptions(); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	return &Listener{inner: l, guard: o.guard}, nil
}
