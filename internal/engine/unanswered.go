package engine

import (
	"bytes"
	"cmp"
	"errors"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

// Refused notes that a response was not written, and why, for the log if none
// follows. Of several reasons the first counts.
func (r Ref) Refused(reason error) {
	x, ok := r.enter()
	defer r.leave()
	if ok && x.refusal == nil {
		x.refusal = reason
	}
}

// finish ends a request that its handler gives back.
func (x *exchange) finish() { x.end(evRelease, x.afterReturn()) }

// afterReturn says how a request ends that its handler gives back. A web server that is
// sent nothing makes an error page of its own, and cannot say what is wrong; so a
// request without a response is answered with status 500 and logged.
func (x *exchange) afterReturn() ending {
	e := ending{appStatus: x.appStatus}
	if reason := x.unanswered(); reason != nil {
		e.page, e.appStatus = 500, cmp.Or(x.appStatus, failedStatus)
		x.conn.warn("no response was written", "method", x.peekParameter("REQUEST_METHOD"), "path", x.path(),
			"reason", logtext.Escape(reason.Error(), logtext.Limit), "request", x.id)
	}
	return e
}

var errUnanswered = errors.New("the handler has written none")

// unanswered returns why a request that is at its end has no response. It is nil for
// one that has, and for one that needs none: it was cancelled, it speaks another
// protocol, or its handler wrote nothing and says by an appStatus that it failed.
func (x *exchange) unanswered() error {
	switch {
	case x.responded, x.upgraded, x.cause != nil, x.failed != nil, x.state == stateEnded, x.state == stateStopping:
		return nil
	case x.refusal != nil:
		return x.refusal
	case x.appStatus != 0:
		return nil
	}
	return errUnanswered
}

// path returns the path that was asked for, fit for a log: without the query, in which
// there may be secrets.
func (x *exchange) path() string {
	if uri := x.peekParameter("REQUEST_URI"); uri != "" {
		path, _, _ := strings.Cut(uri, "?")
		return path
	}
	return x.peekParameter("SCRIPT_NAME") + x.peekParameter("PATH_INFO")
}

// peekParameter returns the value of a parameter, fit for a log.
func (x *exchange) peekParameter(name string) string {
	return logtext.Escape(x.peekParameters().Get(name), logtext.Limit)
}

// errorPage returns the page that stands in for a response; of it, HEAD wants but the
// head.
func (x *exchange) errorPage(code int) []byte {
	page := x.conn.engine.ErrorPage(code)
	if x.peekParameters().Get("REQUEST_METHOD") == "HEAD" {
		if i := bytes.Index(page, []byte("\r\n\r\n")); i >= 0 {
			return page[:i+len("\r\n\r\n")]
		}
	}
	return page
}
