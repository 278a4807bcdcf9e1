//go:build !linux

package interop_test

import "syscall"

// endWithParent can do nothing here.
func endWithParent() *syscall.SysProcAttr { return nil }
