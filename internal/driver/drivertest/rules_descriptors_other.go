//go:build !linux

package drivertest

// Elsewhere no test takes a process its descriptors away.
var descriptorRules []rule
