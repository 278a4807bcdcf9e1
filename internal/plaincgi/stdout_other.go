//go:build !unix

package plaincgi

import "os"

// takeStdout returns standard output, and has the program's own prints go to
// standard error: there is no such thing as descriptor 1 here.
func takeStdout() (*os.File, error) {
	f := os.Stdout
	os.Stdout = os.Stderr
	return f, nil
}
