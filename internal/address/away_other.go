//go:build !unix && !windows

package address

// awayErrors is empty, as nobody has tried what the system says.
var awayErrors []error
