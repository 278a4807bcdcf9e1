//go:build unix && !linux

package listen

import "syscall"

// replace makes newfd another name of oldfd.
func replace(oldfd, newfd int) error { return syscall.Dup2(oldfd, newfd) }
