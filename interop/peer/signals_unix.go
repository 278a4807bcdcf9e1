//go:build unix

package main

import (
	"os"
	"syscall"
)

// endings are the signals that end an application: SIGUSR1 is the one that old process managers send for it.
var endings = []os.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGUSR1}
