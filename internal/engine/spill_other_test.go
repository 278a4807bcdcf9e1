//go:build !linux

package engine

import "github.com/simple-fastcgi/fastcgi/internal/driver"

func addLoop(map[string]driver.Driver) {}
