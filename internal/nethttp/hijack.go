package nethttp

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// Hijack implements http.Hijacker, as HTTP describes it. If it is refused, a
// status 101 that waits to be sent is taken back, so that the handler can answer
// with another.
func (h *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.hijacked {
		return nil, nil, http.ErrHijacked
	}
	if err := h.in.hijack(); err != nil {
		h.takeBack()
		return nil, nil, err
	}
	conn := &hijackedConn{in: h.in}
	if h.status == 0 {
		conn.head = &response{w: h.w, in: h.in, dates: h.dates, length: -1}
	} else {
		h.Flush() // whatever is wrong, the connection will tell
	}
	h.hijacked = true
	return conn, bufio.NewReadWriter(bufio.NewReader(conn), bufio.NewWriter(conn)), nil
}

// takeBack forgets a status 101 that was not sent.
func (h *response) takeBack() {
	if h.status == http.StatusSwitchingProtocols && !h.sent {
		pool.Put(h.head.block)
		h.head, h.status, h.length = header{}, 0, -1
	}
}

// hijack has the request outlive its handler, if it can be hijacked.
func (in *Incoming) hijack() error {
	return in.Call.Hijack(func(inputEnded bool) error {
		if why := in.noHijack(inputEnded); why != "" {
			return fmt.Errorf("fastcgi: cannot hijack: %s: %w", why, http.ErrNotSupported)
		}
		return nil
	})
}

// noHijack says why a request cannot be hijacked.
func (in *Incoming) noHijack(inputEnded bool) string {
	software := cmp.Or(in.Params.Get("SERVER_SOFTWARE"), "the web server")
	switch {
	case in.Role != protocol.RoleResponder:
		return "the role is " + in.Role.String()
	case in.Params.Get("HTTP_UPGRADE") == "":
		return "the request has no Upgrade field, or " + software + " takes it out (as lighttpd does without \"upgrade\")"
	case inputEnded, endsInputLate(software):
		return software + " has ended the input (the gateway would not, nor lighttpd 1.4.74 with \"upgrade\")"
	}
	return ""
}

// endsInputLate reports whether a web server is known to end STDIN whatever the
// application answers, but sometimes only after the application could have
// answered. Caddy does so but for the transport of contrib/caddy.
func endsInputLate(software string) bool {
	product, _, _ := strings.Cut(software, "/")
	return product == "Apache" || product == "Caddy" && !strings.HasSuffix(software, " fcgi")
}
