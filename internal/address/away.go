package address

import (
	"errors"
	"net"
	"slices"
)

// Away reports whether a connection could not be made for a reason that passes as soon as the application is there
// again: nobody listens at the address, as during a restart, or more connections wait to be accepted than the socket
// takes. A name that does not exist, a socket that must not be used and a host that is silent are none of these.
func Away(err error) bool {
	var dialled *net.OpError
	return errors.As(err, &dialled) && dialled.Op == "dial" &&
		slices.ContainsFunc(awayErrors, func(away error) bool { return errors.Is(dialled.Err, away) })
}
