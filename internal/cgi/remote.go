package cgi

import (
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// RemoteAddr returns the client's address, or what net/http has for a client
// without one.
func RemoteAddr(variables protocol.Pairs) net.Addr {
	v := requestVariables{remoteAddr: variables.Get("REMOTE_ADDR"), remotePort: variables.Get("REMOTE_PORT")}
	if addr, err := netip.ParseAddrPort(v.remote()); err == nil {
		return net.TCPAddrFromAddrPort(addr)
	}
	return &net.UnixAddr{Name: "@", Net: "unix"}
}

// LocalAddr returns the address that the client connected to, or nil if the web
// server does not tell.
func LocalAddr(variables protocol.Pairs) net.Addr {
	ip, err := netip.ParseAddr(variables.Get("SERVER_ADDR"))
	if err != nil {
		return nil
	}
	port, _ := strconv.ParseUint(variables.Get("SERVER_PORT"), 10, 16)
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port)))
}

// remote returns the client's address as net/http has it: an IP address with a
// port, which is 0 if nobody knows it. A client that connected to the web server
// over a Unix socket has neither, and is "@".
func (v *requestVariables) remote() string {
	addr, port := splitRemote(v.remoteAddr)
	if addr == "" {
		return "@"
	}
	if v.remotePort != "" {
		port = v.remotePort
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		port = "0"
	}
	return net.JoinHostPort(addr, port)
}

// splitRemote takes REMOTE_ADDR apart. It is to be an address alone (RFC 3875
// §4.1.8), but some put brackets around it or a port behind it, and an IPv4 client
// of a socket for both looks like one of IPv6. It returns no address for a Unix
// socket, which nginx calls "unix:" and others by its path.
func splitRemote(s string) (addr, port string) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		addr, port, _ = strings.Cut(inner, "]")
		return addr, strings.TrimPrefix(port, ":")
	}
	addr = s
	if strings.Count(s, ":") == 1 {
		addr, port, _ = strings.Cut(s, ":")
	}
	if v4, ok := strings.CutPrefix(addr, "::ffff:"); ok && strings.Contains(v4, ".") {
		addr = v4
	}
	if addr == "unix" || addr == "@" || strings.HasPrefix(addr, "/") {
		return "", ""
	}
	return addr, port
}
