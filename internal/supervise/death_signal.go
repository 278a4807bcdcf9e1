//go:build linux || freebsd

package supervise

import "syscall"

// dieWithParent has the kernel kill the process when its parent dies. SIGKILL, since nobody would be left to insist:
// applications exist that ignore SIGTERM while they wait for a connection.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }
