//go:build !linux

package interop_test

import "testing"

var linuxFronts map[string]func(*testing.T, []httpCase) front
