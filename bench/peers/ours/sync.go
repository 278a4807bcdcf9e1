package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/simple-fastcgi/fastcgi"
)

// Writing fails when the one who asked has gone: there is nobody left to tell.

func syncHandlers(size int) map[string]fastcgi.HandlerFunc {
	large := []byte(bytesResponse(size))
	w := &syncWaiting{released: make(chan struct{})}
	return map[string]fastcgi.HandlerFunc{
		"hello":  helloSync,
		"bytes":  func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { _, _ = w.Write(large) },
		"digest": digestSync,
		"count":  countSync,
		"wait":   w.serve,
		"mixed": func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			if query := r.Params.Get("QUERY_STRING"); query == "large" {
				_, _ = w.Write(large)
				return
			}
			_, _ = w.Write(hello)
		},
	}
}

func helloSync(w fastcgi.ResponseWriter, _ *fastcgi.Request) { _, _ = w.Write(hello) }

func digestSync(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		w.SetAppStatus(1)
		return
	}
	fmt.Fprintf(w, textHeader+"%x %d\n", h.Sum(nil), n)
}

func countSync(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		w.SetAppStatus(1)
		return
	}
	fmt.Fprintf(w, textHeader+"%d\n", n)
}

// syncWaiting holds requests until it is asked to release them.
type syncWaiting struct {
	count    atomic.Int64
	released chan struct{}
}

func (s *syncWaiting) serve(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	switch query := r.Params.Get("QUERY_STRING"); query {
	case "waiting":
		fmt.Fprintf(w, textHeader+"%d\n", s.count.Load())
		return
	case "release":
		close(s.released)
	default:
		s.count.Add(1)
		<-s.released
	}
	_, _ = w.Write(hello)
}
