package listen

import (
	"net"
)

// socketFile makes the listening socket file path. Windows has neither modes nor numeric owners: the directory's
// access list says who may connect. A file that is in the way stays, whether anything answers on it or not.
func (o *opener) socketFile(path string) (net.Listener, error) {
	if err := o.refuseFileOptions(); err != nil {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return &Listener{inner: l, guard: o.guard}, nil
}
