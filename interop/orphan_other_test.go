//go:build !linux

package interop_test

import "syscall"

// endWithParent can do nothing here.
func endWithParent() *syscall.SysProcAttr { return nil }

// killGroup ends a process. Those that it has started notice.
func killGroup(p *process) {
	_ = p.cmd.Process.Kill() // it fails if it has ended
}
