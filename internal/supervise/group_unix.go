//go:build unix

package supervise

import "syscall"

// ownGroup makes the process the leader of a process group, whose id is then its own.
func ownGroup() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(attr)
	return attr
}

// The errors say that there is no such group any more, which is what was wanted.

func terminateGroup(id int) { syscall.Kill(-id, syscall.SIGTERM) }

func killGroup(id int) { syscall.Kill(-id, syscall.SIGKILL) }
