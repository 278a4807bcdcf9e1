//go:build unix && !linux && !freebsd

package supervise

import "syscall"

// dieWithParent can do nothing: this kernel tells no process of its parent's death.
func dieWithParent(*syscall.SysProcAttr) {}
