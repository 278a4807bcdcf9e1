package listen

import (
	"errors"
	"fmt"
	"net"
	"strings"
)

// unix makes the socket file path, or the abstract socket that path names.
func (o *opener) unix(path string) (net.Listener, error) {
	listen := o.socketFile
	if strings.HasPrefix(path, "@") {
		listen = o.abstract
	}
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: cannot listen on unix:%s: %w", path, err)
	}
	return l, nil
}

// abstract makes an abstract socket, a name without a file and so without a mode.
func (o *opener) abstract(name string) (net.Listener, error) {
	if !hasAbstractSockets {
		return nil, errors.New("this system has no abstract sockets: give a path")
	}
	if err := o.refuseFileOptions(); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	return &Listener{inner: l, guard: o.guard}, nil
}
