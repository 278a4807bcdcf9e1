//go:build aix || (solaris && !illumos)

package listen

import "os"

// lockDirectory does nothing: these systems have no flock(2), and lock no directory otherwise.
func lockDirectory(*os.Root) (unlock func()) { return func() {} }
