package gateway

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

const (
	// copyLen is how much is copied at a time, in bytes.
	copyLen = 32 << 10
	// maxDiscard is how much of an unwanted body is read, in bytes, before its
	// connection is closed instead.
	maxDiscard = 256 << 10
)

// relay passes the answer on.
func (x *exchange) relay(a answer) error {
	code := a.StatusCode()
	switch {
	case code == http.StatusSwitchingProtocols:
		return x.switchProtocols(a)
	case code < 200:
		return fmt.Errorf("status %d is not final", code)
	}
	x.body.answered()
	if location, ok := a.LocalRedirect(); ok {
		return x.redirect(a, location)
	}
	length, err := a.ContentLength()
	if err != nil {
		return err
	}
	a.copyHeader(x.w.Header())
	x.closeAfterReply()
	bodiless := code == http.StatusNoContent || code == http.StatusNotModified
	if bodiless {
		x.w.Header().Del("Content-Length")
	}
	x.code = code
	x.w.WriteHeader(code)
	if bodiless || x.r.Method == http.MethodHead {
		_, err := x.awaitEnd(a.body)
		return err
	}
	return x.copyBody(a.body, length)
}

var (
	errShort      = errors.New("the body is shorter than its Content-Length")
	errLong       = errors.New("the body is longer than its Content-Length")
	errClientGone = errors.New("the client is gone")
)

// copyBody passes the body on as it arrives. length is what the client was told,
// or -1. Whatever comes beyond it is dropped; should it not be reached, the
// client must see that.
func (x *exchange) copyBody(body *client.Body, length int64) error {
	buf := pool.Get(copyLen)[:copyLen]
	defer pool.Put(buf)
	for left := length; left != 0; {
		if n, last := body.Buffered(); n == 0 && !last {
			if err := x.flush(); err != nil {
				return err
			}
		}
		n, err := body.Read(buf)
		kept := n
		if left >= 0 {
			kept = int(min(int64(n), left))
			left -= int64(kept)
		}
		if _, err := x.w.Write(buf[:kept]); err != nil {
			return errClientGone
		}
		switch {
		case kept < n:
			x.logFailure(x.code, errLong)
			return nil
		case errors.Is(err, io.EOF) && left > 0:
			return errShort
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && left != 0:
			return err
		}
	}
	extra, err := x.awaitEnd(body)
	if extra > 0 {
		x.logFailure(x.code, errLong)
	}
	return err
}

// awaitEnd waits for the end of an application whose client has all that it is to
// get, and returns how much it sent until then. The connection to the
// application stays usable, unless that was more than maxDiscard.
func (x *exchange) awaitEnd(body *client.Body) (int64, error) {
	if err := x.flush(); err != nil {
		return 0, err
	}
	n, err := io.CopyN(io.Discard, body, maxDiscard)
	if err != nil && !errors.Is(err, io.EOF) {
		x.logFailure(x.code, err)
	}
	return n, nil
}

// flush sends what was written so far.
func (x *exchange) flush() error {
	if err := x.control.Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return errClientGone
	}
	return nil
}
