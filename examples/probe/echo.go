package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

// echoPiece is how much of the body is sent back at once, in bytes.
const echoPiece = 32 << 10

// echoSync sends the body back as it arrives. Read waits for the client and
// Write for the web server, so no more than a piece is ever held.
func echoSync(w fastcgi.ResponseWriter, r *fastcgi.Request, _ order) error {
	if err := fastcgi.SendResponse(w, 200, "application/octet-stream", nil); err != nil {
		return err
	}
	return echo(r, func(piece []byte) error {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		return w.Flush()
	})
}

// echo gives send the pieces of a body. One that is shorter than announced has
// come to its end as well.
func echo(body io.Reader, send func(piece []byte) error) error {
	err := inPieces(body, send)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// inPieces gives send the pieces of a body. The error is io.ErrUnexpectedEOF if
// it is shorter than announced.
func inPieces(body io.Reader, send func(piece []byte) error) error {
	buf := make([]byte, echoPiece)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			if err := send(buf[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// echoHTTP is echoSync for net/http.
func echoHTTP(w http.ResponseWriter, r *http.Request, _ order) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	out := http.NewResponseController(w)
	return echo(r.Body, func(piece []byte) error {
		if _, err := w.Write(piece); err != nil {
			return err
		}
		return out.Flush()
	})
}

// echoAsync is echoSync without waiting.
func echoAsync(c *call) {
	t := newTransfer(c)
	c.onShort = c.finish
	if fastcgi.SendResponse(c.ex, 200, "application/octet-stream", nil) == nil {
		c.ex.OnBody(t.arrived)
	}
}
