// Package webhandler has the benchmark's tasks as handlers of net/http, which
// several peers serve, each in its way. The programs among the peers use it.
package webhandler

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

// New returns the handler of a task. size is how many bytes the answer of bytes
// has, and the large one of mixed.
func New(task string, size int) (http.Handler, error) {
	switch task {
	case "hello":
		return http.HandlerFunc(hello), nil
	case "bytes":
		return many(Pattern(size)), nil
	case "digest":
		return http.HandlerFunc(digest), nil
	case "count":
		return http.HandlerFunc(count), nil
	case "wait":
		return &waiting{released: make(chan struct{})}, nil
	case "mixed":
		return mixed(many(Pattern(size))), nil
	}
	return nil, fmt.Errorf("no task %q: choose hello, bytes, digest, count, wait or mixed", task)
}

// Pattern returns size bytes, byte i of which is i mod 251.
func Pattern(size int) []byte {
	const period = 251
	b := make([]byte, size)
	for i := range b[:min(size, period)] {
		b[i] = byte(i)
	}
	for n := period; n < size; n *= 2 { // a GiB would take seconds byte by byte
		copy(b[n:], b[:n])
	}
	return b
}

var (
	text      = []string{"text/plain; charset=utf-8"}
	helloBody = []byte("hello, world\n")
)

// Writing fails when the one who asked has gone: there is nobody left to tell.

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = text
	_, _ = w.Write(helloBody)
}

func many(body []byte) http.HandlerFunc {
	length := []string{strconv.Itoa(len(body))}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = []string{"application/octet-stream"}
		w.Header()["Content-Length"] = length
		_, _ = w.Write(body)
	}
}

func digest(w http.ResponseWriter, r *http.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header()["Content-Type"] = text
	fmt.Fprintf(w, "%x %d\n", h.Sum(nil), n)
}

func count(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header()["Content-Type"] = text
	fmt.Fprintf(w, "%d\n", n)
}

func mixed(large http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "large" {
			large(w, r)
			return
		}
		hello(w, r)
	}
}

// waiting holds requests until it is asked to release them.
type waiting struct {
	count    atomic.Int64
	released chan struct{}
}

func (h *waiting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.RawQuery {
	case "waiting":
		w.Header()["Content-Type"] = text
		fmt.Fprintf(w, "%d\n", h.count.Load())
		return
	case "release":
		close(h.released)
	default:
		h.count.Add(1)
		<-h.released
	}
	hello(w, r)
}
