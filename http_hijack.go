package fastcgi

import (
	"bufio"
	"cmp"
	"fmt"
	"net"
	"net/http"
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
	return r.call.Hijack(func(inputEnded bool) error {
		if why := r.noHijack(inputEnded); why != "" {
			return fmt.Errorf("fastcgi: cannot hijack: %s: %w", why, http.ErrNotSupported)
		}
		return nil
	})
}

// noHijack says why a request can not be hijacked.
func (r *Request) noHijack(inputEnded bool) string {
	software := cmp.Or(r.Params.Get("SERVER_SOFTWARE"), "the web server")
	switch {
	case r.Role != RoleResponder:
		return "the role is " + r.Role.String()
	case r.Params.Get("HTTP_UPGRADE") == "":
		return "the request has no Upgrade field, or " + software + " takes it out (as lighttpd does without \"upgrade\")"
	case inputEnded, endsInputLate(software):
		return software + " has ended the input (the gateway would not, nor lighttpd 1.4.74 with \"upgrade\")"
	}
	return ""
}

// endsInputLate reports whether a web server is known to end STDIN whatever the
// application answers, but sometimes only after the application could have
// answered.
func endsInputLate(software string) bool {
	product, _, _ := strings.Cut(software, "/")
	return product == "Apache" || product == "Caddy"
}
