package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"slices"
	"strings"
)

// wantsUpgrade reports whether the client asks for another protocol on its
// connection, and whether the application may be asked: HTTP/2 has no such
// thing, and a request with a body would have to end before the other protocol
// begins. Cleartext HTTP/2 is never passed on: its requests would go round
// everything that stands in front of the application.
func (h *Handler) wantsUpgrade(r *http.Request) bool {
	switch {
	case h.NoUpgrade, r.ProtoMajor != 1, r.ProtoMinor != 1, r.ContentLength != 0:
		return false
	}
	protocols := slices.Collect(tokens(r.Header["Upgrade"]))
	return slices.Contains(slices.Collect(tokens(r.Header["Connection"])), "upgrade") &&
		len(protocols) > 0 && !slices.Contains(protocols, "h2c")
}

// tokens yields the elements of a comma-separated field, in lower case.
func tokens(values []string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, list := range values {
			for token := range strings.SplitSeq(list, ",") {
				if token = strings.TrimSpace(token); token != "" && !yield(strings.ToLower(token)) {
					return
				}
			}
		}
	}
}

// switchProtocols makes the client's connection one with the application, as it
// has answered 101, and returns when that is over.
func (x *exchange) switchProtocols(a *answer) error {
	upgrade := a.header.Fields.Get("Upgrade")
	switch {
	case x.body == nil || x.body.tunnel == nil:
		return errors.New("status 101, but the client was not to be asked for another protocol")
	case upgrade == "":
		return errors.New("status 101 without Upgrade")
	}
	header := x.w.Header()
	a.copyHeader(header)
	header.Del("Content-Length")
	header.Set("Connection", "Upgrade")
	header.Set("Upgrade", upgrade)
	conn, rw, err := x.control.Hijack()
	if err != nil {
		return fmt.Errorf("status 101, but no other protocol is possible on the client's connection: %w", err)
	}
	defer conn.Close()
	x.code = http.StatusSwitchingProtocols
	if err := writeSwitching(rw.Writer, header); err != nil {
		x.logFailure(x.code, errClientGone)
		return nil
	}
	x.body.tunnel.open(conn, rw.Reader, x.handler.UpgradeIdleTimeout)
	if err := x.body.tunnel.copyFrom(&a.body); err != nil {
		x.logFailure(x.code, err)
		return nil
	}
	x.body.tunnel.hangUp()
	return nil
}

// writeSwitching writes the head of a response 101.
func writeSwitching(w *bufio.Writer, header http.Header) error {
	_, err := io.WriteString(w, "HTTP/1.1 101 Switching Protocols\r\n")
	if err == nil {
		err = header.Write(w)
	}
	if err == nil {
		_, err = io.WriteString(w, "\r\n")
	}
	if err == nil {
		err = w.Flush()
	}
	return err
}

// closeWrite tells the client that nothing more will come.
func closeWrite(conn net.Conn) error {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}
