package engine

import (
	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/epoll"
)

func addLoop(m map[string]driver.Driver) { m["loop"] = &epoll.Driver{Loops: 1} }
