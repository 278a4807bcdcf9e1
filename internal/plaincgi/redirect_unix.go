//go:build unix && !linux

package plaincgi

import "golang.org/x/sys/unix"

// redirect has descriptor to refer to what from does.
func redirect(from, to int) error { return unix.Dup2(from, to) }
