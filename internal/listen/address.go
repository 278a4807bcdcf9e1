package listen

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// A source is the kind of place a listening socket comes from.
type source int

const (
	fromEnvironment source = iota
	fromUnix
	fromTCP
	fromDescriptor
)

// An address is a parsed listening address.
type address struct {
	source source
	name   string // a path, an @abstract name or a host:port
	fd     int
}

// parseAddress tells the forms of an address apart. It does not look at the system.
func parseAddress(addr string) (address, error) {
	scheme, rest, _ := strings.Cut(addr, ":")
	switch {
	case addr == "":
		return address{source: fromEnvironment}, nil
	case strings.HasPrefix(addr, "/"):
		return unixAddress(addr)
	case scheme == "unix":
		return unixAddress(rest)
	case scheme == "fd":
		return descriptorAddress(rest)
	case scheme == "tcp":
		return tcpAddress(rest)
	}
	return tcpAddress(addr)
}

func unixAddress(path string) (address, error) {
	switch {
	case path == "" || path == "@":
		return address{}, errors.New("fastcgi: the Unix address is empty: write unix:/path/to/socket")
	case strings.ContainsRune(path, 0):
		// The kernel would stop at the NUL and make another file than the one named.
		return address{}, fmt.Errorf("fastcgi: the Unix address %q contains a NUL byte", path)
	}
	return address{source: fromUnix, name: path}, nil
}

func descriptorAddress(number string) (address, error) {
	fd, err := strconv.Atoi(number)
	switch {
	case err != nil || fd < 0:
		return address{}, fmt.Errorf("fastcgi: %q is not a descriptor number: write fd:N, for example fd:0", number)
	case fd == 1 || fd == 2:
		return address{}, fmt.Errorf("fastcgi: fd %d is for output and errors: pass the socket as fd 0, or as fd 3 or above", fd)
	}
	return address{source: fromDescriptor, fd: fd}, nil
}

func tcpAddress(hostport string) (address, error) {
	_, port, err := net.SplitHostPort(hostport)
	if err != nil || port == "" {
		return address{}, fmt.Errorf("fastcgi: %q is not an address: write unix:/path, tcp:host:port, host:port, :port or fd:N",
			hostport)
	}
	return address{source: fromTCP, name: hostport}, nil
}
