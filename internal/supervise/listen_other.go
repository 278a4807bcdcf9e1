//go:build !unix

package supervise

import (
	"errors"
	"fmt"
	"runtime"
)

// Listen fails: a process cannot be started with a listening socket as its file descriptor 0 here. The error is an
// errors.ErrUnsupported.
func Listen() (*Socket, error) {
	return nil, fmt.Errorf("supervise: handing a listening socket to a process on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
