package listen

import "syscall"

// replace makes newfd another name of oldfd. Some of Linux's architectures have no dup2.
func replace(oldfd, newfd int) error { return syscall.Dup3(oldfd, newfd, 0) }
