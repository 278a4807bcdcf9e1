package main

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"

	"github.com/simple-fastcgi/fastcgi"
)

func asyncHandlers(size int) map[string]fastcgi.AsyncHandlerFunc {
	large := bytesResponse(size)
	return map[string]fastcgi.AsyncHandlerFunc{
		"hello":  helloAsync,
		"bytes":  func(ex fastcgi.Exchange) { answerString(ex, large) },
		"digest": func(ex fastcgi.Exchange) { takeBody(ex, sha256.New()) },
		"count":  func(ex fastcgi.Exchange) { takeBody(ex, nil) },
		"wait":   new(asyncWaiting).serve,
		"mixed": func(ex fastcgi.Exchange) {
			if query := ex.Params().Get("QUERY_STRING"); query == "large" {
				answerString(ex, large)
				return
			}
			helloAsync(ex)
		},
	}
}

// answer sends a whole response: an exchange with nothing in its buffer takes
// any.
func answer(ex fastcgi.Exchange, response []byte) {
	_, _ = ex.Write(response)
	_ = ex.Finish(0)
}

// answerString is answer for what need not be copied.
func answerString(ex fastcgi.Exchange, response string) {
	_, _ = ex.WriteString(response)
	_ = ex.Finish(0)
}

func helloAsync(ex fastcgi.Exchange) { answer(ex, hello) }

// takeBody answers with the length of the body, and with its digest if h is not
// nil.
func takeBody(ex fastcgi.Exchange, h hash.Hash) {
	length := 0
	ex.OnAbort(func(error) { _ = ex.Finish(1) })
	ex.OnBody(func(chunk []byte, last bool) {
		length += len(chunk)
		if h != nil {
			h.Write(chunk)
		}
		switch {
		case !last:
		case h != nil:
			answer(ex, fmt.Appendf(nil, textHeader+"%x %d\n", h.Sum(nil), length))
		default:
			answer(ex, fmt.Appendf(nil, textHeader+"%d\n", length))
		}
	})
}

// asyncWaiting holds requests until it is asked to release them.
type asyncWaiting struct {
	mu      sync.Mutex
	waiting []fastcgi.Exchange
}

func (a *asyncWaiting) serve(ex fastcgi.Exchange) {
	switch query := ex.Params().Get("QUERY_STRING"); query {
	case "waiting":
		a.mu.Lock()
		n := len(a.waiting)
		a.mu.Unlock()
		answer(ex, fmt.Appendf(nil, textHeader+"%d\n", n))
	case "release":
		a.release()
		helloAsync(ex)
	default:
		a.mu.Lock()
		defer a.mu.Unlock()
		a.waiting = append(a.waiting, ex)
	}
}

func (a *asyncWaiting) release() {
	a.mu.Lock()
	waiting := a.waiting
	a.waiting = nil
	a.mu.Unlock()
	for _, ex := range waiting {
		helloAsync(ex)
	}
}
