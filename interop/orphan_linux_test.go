package interop_test

import "syscall"

// endWithParent has the kernel end a process when this one dies without cleaning up, as it does when go test's time is
// over. Not SIGKILL: a web server has processes of its own to end.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
}
