//go:build !unix && !windows

package address

// maxPath is the longest path of a Unix socket, where the system has none of its own: Linux's.
const maxPath = 107
