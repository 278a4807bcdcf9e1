//go:build unix || windows

package address

import "syscall"

// maxPath is the longest path that a Unix socket's address holds, without its NUL: 107 bytes on Linux, 103 on the BSDs.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1
