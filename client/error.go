package client

import (
	"errors"
	"fmt"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// ErrClosed is the error of a Client after its Close.
var ErrClosed = errors.New("fastcgi: client is closed")

// ErrNoValues says that an application does not answer GET_VALUES.
var ErrNoValues = errors.New("fastcgi: application does not answer GET_VALUES")

// errResponseClosed is why a connection was closed together with its response.
var errResponseClosed = errors.New("fastcgi: response is closed")

// errUnsolicited is why a connection was closed on which an application spoke
// without being asked.
var errUnsolicited = errors.New("fastcgi: application sent data outside of a request")

// errUnread is why a response was given up that shares its connection.
var errUnread = errors.New("fastcgi: response was not read in time: memory and disk for it are full")

// errOver stops the sending of a request whose response is over.
var errOver = errors.New("fastcgi: response is over")

// A RefusedError says that the application ended a request without handling it
// (§5.5, protocolStatus).
//
//   - StatusOverloaded: it is out of some resource. Another time, or another
//     instance, may do.
//   - StatusCantMultiplex: it takes one request at a time on a connection, and
//     believes that there is one.
//   - StatusUnknownRole: it does not serve this role, and never will.
type RefusedError struct {
	Status    protocol.Status // not StatusRequestComplete
	AppStatus uint32
}

// Error names the status.
func (e *RefusedError) Error() string {
	return "fastcgi: application refused the request: " + e.Status.String()
}

// MaxPairLen is the largest parameter, in encoded bytes with both lengths, that
// fits into one PARAMS record.
const MaxPairLen = protocol.MaxContentLen &^ 7

// A ParamTooLargeError says that a parameter does not fit into one record. See
// [Client.SplitPairs].
type ParamTooLargeError struct {
	Name string
	Len  int // encoded bytes, more than MaxPairLen
}

// Error names the parameter and the limit.
func (e *ParamTooLargeError) Error() string {
	return fmt.Sprintf("fastcgi: parameter %q takes %d bytes, and a record has room for %d", e.Name, e.Len, MaxPairLen)
}
