//go:build !linux

package listen

import "errors"

// canReadPeerUID says whether peerUID works on this system. The BSDs could: none of their calls is in syscall.
const canReadPeerUID = false

func peerUID(uintptr) (int, error) { return 0, errors.ErrUnsupported }
