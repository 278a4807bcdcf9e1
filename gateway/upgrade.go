package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// wantsUpgrade reports whether the client asks for another protocol on its
// connection, and whether the application may be asked.
func (h *Handler) wantsUpgrade(r *http.Request) bool {
	return !h.NoUpgrade && r.ContentLength == 0 && cgi.AsksUpgrade(r)
}

// switchProtocols makes the client's connection one with the application, as it
// has answered 101, and returns when that is over.
func (x *exchange) switchProtocols(a answer) error {
	upgrade := a.Header.Get("Upgrade")
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
	if err := x.body.tunnel.copyFrom(a.body); err != nil {
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
