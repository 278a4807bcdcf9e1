//go:build unix && !linux

package listen

import "golang.org/x/sys/unix"

// replace makes newfd another name of oldfd.
func replace(oldfd, newfd int) error { return unix.Dup2(oldfd, newfd) }
