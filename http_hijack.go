package fastcgi

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// Hijack implements http.Hijacker, as HTTP describes it. If it is refused, a
// status 101 that waits to be sent is taken back, so that the handler can answer
// with another.
func (h *httpResponse) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.hijacked {
		return nil, nil, http.ErrHijacked
	}
	if err := h.request.hijack(); err != nil {
		h.takeBack()
		return nil, nil, err
	}
	conn := &hijackedConn{request: h.request}
	if h.status == 0 {
		conn.head = &httpResponse{w: h.w, request: h.request, dates: h.dates, length: -1}
	} else {
		h.Flush() // whatever is wrong, the connection will tell
	}
	h.hijacked = true
	return conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), nil
}

// takeBack forgets a status 101 that was not sent.
func (h *httpResponse) takeBack() {
	if h.status == http.StatusSwitchingProtocols && !h.sent {
		pool.Put(h.head.block)
		h.head, h.status, h.length = header{}, 0, -1
	}
}

// hijack has the request outlive its handler, if it can be hijacked.
func (r *Request) hijack() error {
	if why := r.noHijack(); why != "" {
		return fmt.Errorf("fastcgi: can not hijack: %s: %w", why, http.ErrNotSupported)
	}
	x, c := r.x, r.conn
	c.mu.Lock()
	defer c.unlock()
	switch {
	case !x.is(r.gen):
		return ErrFinished
	case x.failed != nil:
		return x.failed
	case x.stdin.ended:
		return fmt.Errorf("fastcgi: can not hijack: the web server, %s, has ended the input: %w",
			r.Params.Get("SERVER_SOFTWARE"), http.ErrNotSupported)
	}
	r.hijacked = true
	return nil
}

// noHijack says why a request can not be hijacked, as far as its parameters
// tell.
func (r *Request) noHijack() string {
	software := r.Params.Get("SERVER_SOFTWARE")
	switch {
	case r.Role != RoleResponder:
		return "the role is " + r.Role.String()
	case endsInput(software):
		return software + " does not upgrade connections for FastCGI (the gateway does, and lighttpd 1.4.74)"
	case r.Params.Get("HTTP_UPGRADE") == "":
		return "the request has no Upgrade field, or the web server takes it out (lighttpd without \"upgrade\")"
	}
	return ""
}

// endsInput reports whether a web server is known to end STDIN with the request,
// whatever the application says. Those that do it in the same breath as they
// send the parameters need not be here; it is for those that are a moment late.
func endsInput(software string) bool {
	product, _, _ := strings.Cut(software, "/")
	switch product {
	case "nginx", "Apache", "Caddy", "HAProxy", "h2o":
		return true
	}
	return false
}

// clientAddr returns the client's address, or what net/http has for a client
// without one.
func clientAddr(p Params) net.Addr {
	v := metaVariables{remoteAddr: p.Get("REMOTE_ADDR"), remotePort: p.Get("REMOTE_PORT")}
	if addr, err := netip.ParseAddrPort(v.remote()); err == nil {
		return net.TCPAddrFromAddrPort(addr)
	}
	return &net.UnixAddr{Name: "@", Net: "unix"}
}
