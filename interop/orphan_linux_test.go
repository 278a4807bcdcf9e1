package interop_test

import "syscall"

// endWithParent has the kernel end a process when this one dies without cleaning up, as it does when go test's time is
// over. Not SIGKILL: a web server has processes of its own to end. Some end them by a signal to their process group, so
// this process is not in that.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}

// killGroup ends a process and those that it has started, at once.
func killGroup(p *process) {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL) // it fails if all have ended
}
