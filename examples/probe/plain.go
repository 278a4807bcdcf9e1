package main

import (
	"cmp"
	"fmt"
	"iter"
	"net/http"
	"strconv"

	"github.com/simple-fastcgi/fastcgi"
)

// A plainTask needs neither the body nor time. Since an Exchange is a
// ResponseWriter, a handler that may wait and one that must not do it alike.
type plainTask func(w fastcgi.ResponseWriter, p fastcgi.Params, o order) error

// plainTasks are the plain tasks of the sync and the async mode.
func plainTasks(t *tally) map[string]plainTask {
	return map[string]plainTask{
		"params":   params,
		"bytes":    manyBytes,
		"aborts":   t.tellAborted,
		"ignore":   ignore,
		"status":   status,
		"redirect": redirect,
		"stderr":   stderr,
		"exit":     exit,
		"panic":    panics,
	}
}

func params(w fastcgi.ResponseWriter, p fastcgi.Params, _ order) error {
	return fastcgi.SendResponse(w, 200, "application/json", p)
}

func manyBytes(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	return fastcgi.SendResponse(w, 200, "application/octet-stream", pattern(o.n),
		fastcgi.Pair{Name: "Content-Length", Value: strconv.FormatInt(o.n, 10)})
}

func (t *tally) tellAborted(w fastcgi.ResponseWriter, _ fastcgi.Params, _ order) error {
	return sendText(w, fmt.Sprintln(t.aborted.Load()))
}

func ignore(w fastcgi.ResponseWriter, _ fastcgi.Params, _ order) error {
	return sendText(w, "ignored\n")
}

func status(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	code := int(o.code)
	switch {
	case code == http.StatusNoContent || code == http.StatusNotModified:
		return fastcgi.SendResponse(w, code, "", nil)
	case code < 400:
		return fastcgi.SendResponse(w, code, "text/plain", statusText(code))
	}
	return fastcgi.SendResponse(w, code, "text/plain", nil)
}

// statusText is what a status without any other text has: its name, or its number
// if it has none.
func statusText(code int) string {
	return cmp.Or(http.StatusText(code), strconv.Itoa(code)) + "\n"
}

func redirect(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	return fastcgi.SendRedirect(w, o.to)
}

func stderr(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	if _, err := w.Stderr().Write([]byte(o.text)); err != nil {
		return err
	}
	return sendText(w, "ok\n")
}

func exit(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	w.SetAppStatus(o.code)
	return sendText(w, "ok\n")
}

func panics(w fastcgi.ResponseWriter, _ fastcgi.Params, o order) error {
	if o.when == "after" {
		if err := sendText(w, "partial\n"); err != nil {
			return err
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	panic("the probe was asked to panic " + o.when + " its answer")
}

// sendText answers with a text.
func sendText(w fastcgi.ResponseWriter, text string) error {
	return fastcgi.SendResponse(w, 200, "text/plain", text)
}

// sendMistake answers a query that makes no sense.
func sendMistake(w fastcgi.ResponseWriter, mistake error) error {
	return fastcgi.SendResponse(w, 400, "text/plain", mistake.Error()+"\n")
}

// period is what the bytes of a pattern repeat after: byte i is i mod 251.
const period = 251

// patternPiece is a piece of a pattern, as much as is sent at once.
var patternPiece = func() []byte {
	p := make([]byte, period*128)
	for i := range p {
		p[i] = byte(i % period)
	}
	return p
}()

// pattern yields n bytes, in pieces that begin at multiples of the period.
func pattern(n int64) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for left := n; left > 0; {
			piece := patternPiece[:min(left, int64(len(patternPiece)))]
			if !yield(piece) {
				return
			}
			left -= int64(len(piece))
		}
	}
}
