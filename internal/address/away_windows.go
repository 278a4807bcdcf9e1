package address

import "syscall"

// awayErrors are what the system says when an application does not accept for now: WSAECONNREFUSED and WSAECONNRESET.
// Package syscall has numbers of its own for these, which Windows never returns.
var awayErrors = []error{syscall.Errno(10061), syscall.Errno(10054)}
