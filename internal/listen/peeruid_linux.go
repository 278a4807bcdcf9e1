package listen

import (
	"os"
	"syscall"
)

// canReadPeerUID says whether peerUID works on this system.
const canReadPeerUID = true

// peerUID is the effective uid with which the peer of a Unix connection called connect.
func peerUID(fd uintptr) (int, error) {
	cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	if err != nil {
		return 0, os.NewSyscallError("getsockopt SO_PEERCRED", err)
	}
	return int(cred.Uid), nil
}
