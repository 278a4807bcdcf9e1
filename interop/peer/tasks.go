package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A task is one of the probe's: the table in examples/probe/README.md says what each does.
type task struct {
	http.ResponseWriter
	request *http.Request
	query   url.Values
	env     map[string]string
	more    beyond
}

// beyond is what applications can do, but those of the standard library cannot.
type beyond interface {
	stderr(text string)
	// exit has the request, or the process, end with a status.
	exit(code uint32)
	// localRedirect sends nothing but a Location (RFC 3875 §6.2.2).
	localRedirect(rw http.ResponseWriter, to string)
}

// tasks are the probe's.
var tasks = map[string]func(*task){
	"":         (*task).params,
	"params":   (*task).params,
	"echo":     (*task).echo,
	"digest":   (*task).digest,
	"bytes":    (*task).bytes,
	"stream":   (*task).stream,
	"sleep":    (*task).sleep,
	"aborts":   (*task).aborts,
	"ignore":   func(t *task) { t.text("ignored\n") },
	"status":   (*task).status,
	"redirect": (*task).redirect,
	"stderr":   (*task).complain,
	"exit":     (*task).exit,
	"panic":    (*task).panic,
}

// perform does what a query asks for.
func perform(rw http.ResponseWriter, r *http.Request, env map[string]string, more beyond) {
	t := &task{ResponseWriter: rw, request: r, query: r.URL.Query(), env: env, more: more}
	do, ok := tasks[t.query.Get("do")]
	if !ok {
		http.Error(rw, "no such task", http.StatusNotImplemented)
		return
	}
	do(t)
}

func (t *task) number(name string) int64 {
	n, _ := strconv.ParseInt(t.query.Get(name), 10, 64)
	return n
}

func (t *task) wait() { time.Sleep(time.Duration(t.number("ms")) * time.Millisecond) }

func (t *task) text(s string) {
	t.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(t, s)
}

func (t *task) flush() { t.ResponseWriter.(http.Flusher).Flush() }

func (t *task) params() {
	t.Header().Set("Content-Type", "application/json")
	json.NewEncoder(t).Encode(t.env)
}

func (t *task) echo() {
	t.Header().Set("Content-Type", "application/octet-stream")
	var piece [1 << 14]byte
	for {
		n, err := t.request.Body.Read(piece[:])
		t.Write(piece[:n])
		t.flush()
		if err != nil {
			return
		}
	}
}

func (t *task) digest() {
	sum := sha256.New()
	n, err := io.Copy(sum, t.request.Body)
	if err != nil || t.request.ContentLength > 0 && n < t.request.ContentLength {
		http.Error(t, http.StatusText(400), 400)
		return
	}
	t.text(fmt.Sprintf("%x %d\n", sum.Sum(nil), n))
}

func (t *task) bytes() {
	const period = 251
	var piece [period * 128]byte
	for i := range piece {
		piece[i] = byte(i % period)
	}
	n := t.number("n")
	t.Header().Set("Content-Type", "application/octet-stream")
	t.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	for n > 0 {
		written, err := t.Write(piece[:min(n, int64(len(piece)))])
		if err != nil {
			return
		}
		n -= int64(written)
	}
}

func (t *task) stream() {
	for i := range t.number("n") {
		if i > 0 {
			t.wait()
		}
		t.text(fmt.Sprintf("chunk %d\n", i))
		t.flush()
	}
}

func (t *task) sleep() {
	t.wait()
	t.text("slept\n")
}

func (t *task) aborts() { t.text(fmt.Sprintln(aborts.Load())) }

func (t *task) status() {
	code := int(t.number("code"))
	t.Header().Set("Content-Type", "text/plain; charset=utf-8")
	t.WriteHeader(code)
	if code != 204 && code != 304 {
		fmt.Fprintln(t, http.StatusText(code))
	}
}

func (t *task) redirect() {
	to := t.query.Get("to")
	if strings.HasPrefix(to, "/") {
		t.more.localRedirect(t, to)
	} else {
		redirect(t, to)
	}
}

func redirect(rw http.ResponseWriter, to string) {
	rw.Header().Set("Location", to)
	rw.WriteHeader(http.StatusFound)
}

func (t *task) complain() {
	t.more.stderr(t.query.Get("text"))
	t.text("ok\n")
}

func (t *task) exit() {
	t.more.exit(uint32(t.number("code")))
	t.text("ok\n")
}

// panic does what the probe's library does about one. net/http/fcgi would end the process.
func (t *task) panic() {
	if t.query.Get("when") == "after" {
		t.text("partial\n")
		t.flush()
		return
	}
	http.Error(t, http.StatusText(500), 500)
}
