package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/simple-fastcgi/fastcgi"
)

// An httpTask is a task for net/http.
type httpTask func(w http.ResponseWriter, r *http.Request, o order) error

// An httpResponder is the probe in http mode.
type httpResponder struct{ tally *tally }

func (h httpResponder) tasks() map[string]httpTask {
	return map[string]httpTask{
		"params":   paramsHTTP,
		"echo":     echoHTTP,
		"digest":   digestHTTP,
		"bytes":    bytesHTTP,
		"stream":   streamHTTP,
		"events":   eventsHTTP,
		"sleep":    sleepHTTP,
		"aborts":   h.aborts,
		"ignore":   ignoreHTTP,
		"status":   statusHTTP,
		"redirect": redirectHTTP,
		"stderr":   stderrHTTP,
		"exit":     exitHTTP,
		"panic":    panicHTTP,
	}
}

// ServeHTTP implements http.Handler.
func (h httpResponder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o, err := parseOrder(r.URL.RawQuery)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	task, ok := h.tasks()[o.do]
	if !ok {
		http.Error(w, o.unknown().Error(), 400)
		return
	}
	// The error means that the web server does not take the answer any more,
	// so there is nobody to tell.
	_ = task(w, r, o)
}

func paramsHTTP(w http.ResponseWriter, r *http.Request, _ order) error {
	b, err := json.Marshal(fastcgi.FromContext(r.Context()).Params)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = w.Write(b)
	return err
}

func bytesHTTP(w http.ResponseWriter, _ *http.Request, o order) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(o.n, 10))
	for piece := range pattern(o.n) {
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	return nil
}

func (h httpResponder) aborts(w http.ResponseWriter, _ *http.Request, _ order) error {
	return writeText(w, fmt.Sprintln(h.tally.aborted.Load()))
}

func ignoreHTTP(w http.ResponseWriter, _ *http.Request, _ order) error {
	return writeText(w, "ignored\n")
}

func statusHTTP(w http.ResponseWriter, _ *http.Request, o order) error {
	code := int(o.code)
	if code == http.StatusNoContent || code == http.StatusNotModified {
		w.WriteHeader(code)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	_, err := io.WriteString(w, statusText(code))
	return err
}

// redirectHTTP does without http.Redirect, which adds a page. A path is for the
// client to go to as well: that the web server should, net/http cannot say.
func redirectHTTP(w http.ResponseWriter, _ *http.Request, o order) error {
	w.Header().Set("Location", o.to)
	w.WriteHeader(http.StatusFound)
	return nil
}

func stderrHTTP(w http.ResponseWriter, r *http.Request, o order) error {
	if _, err := io.WriteString(fastcgi.FromContext(r.Context()).Stderr(), o.text); err != nil {
		return err
	}
	return writeText(w, "ok\n")
}

func exitHTTP(w http.ResponseWriter, r *http.Request, o order) error {
	fastcgi.FromContext(r.Context()).SetAppStatus(o.code)
	return writeText(w, "ok\n")
}

func panicHTTP(w http.ResponseWriter, _ *http.Request, o order) error {
	if o.when == "after" {
		if err := writeText(w, "partial\n"); err != nil {
			return err
		}
		if err := http.NewResponseController(w).Flush(); err != nil {
			return err
		}
	}
	panic("the probe was asked to panic " + o.when + " its answer")
}

// writeText answers with a text.
func writeText(w http.ResponseWriter, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := io.WriteString(w, text)
	return err
}
