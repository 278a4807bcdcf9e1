//go:build unix

package address

import "syscall"

// awayErrors are what the system says when an application does not accept for now.
var awayErrors = []error{
	syscall.ECONNREFUSED, // nobody listens
	syscall.ENOENT,       // the socket's file is not there: some programs remove it when they stop
	syscall.EAGAIN,       // the queue of a Unix socket is full
	syscall.ECONNRESET,   // the queue was given up, along with what waited in it
}
