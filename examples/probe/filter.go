package main

import (
	"errors"
	"io"

	"github.com/simple-fastcgi/fastcgi"
)

// filterSync sends FCGI_DATA in upper case.
func filterSync(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	if err := sendUpper(w, r); errors.Is(err, io.ErrUnexpectedEOF) {
		// The answer has begun, and its appStatus is what can still tell.
		w.SetAppStatus(1)
	}
	// Other errors mean that the web server does not take the answer any more,
	// so there is nobody to tell.
}

func sendUpper(w fastcgi.ResponseWriter, r *fastcgi.Request) error {
	if err := fastcgi.SendResponse(w, 200, "text/plain", nil); err != nil {
		return err
	}
	// A form that came with the request is not needed, and FCGI_DATA is behind
	// it.
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	return inPieces(r.Data(), func(piece []byte) error {
		_, err := w.Write(upper(piece))
		return err
	})
}

// An asyncFilter is filterSync without waiting.
type asyncFilter struct{ tally *tally }

// ServeAsync implements fastcgi.AsyncHandler.
func (a asyncFilter) ServeAsync(ex fastcgi.Exchange) {
	t := newTransfer(newCall(ex, a.tally))
	t.onShort = t.cut
	ex.OnBody(func([]byte, bool) {}) // not needed, as in filterSync
	if fastcgi.SendResponse(ex, 200, "text/plain", nil) == nil {
		ex.OnData(func(chunk []byte, last bool) { t.arrived(upper(chunk), last) })
	}
}

// upper returns p in upper case. It changes ASCII letters only: other
// characters may lie across two pieces.
func upper(p []byte) []byte {
	up := make([]byte, len(p))
	for i, b := range p {
		if 'a' <= b && b <= 'z' {
			b -= 'a' - 'A'
		}
		up[i] = b
	}
	return up
}
