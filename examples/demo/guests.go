package main

import (
	"net/http"
	"strings"
	"sync"
)

const (
	maxGuests = 8  // the last of them are kept
	maxName   = 40 // characters
)

// A guestBook has the names of the last guests. Its methods are handlers of
// net/http, which know nothing of FastCGI.
type guestBook struct {
	mu    sync.Mutex
	names []string // the last one first
}

func (b *guestBook) list(w http.ResponseWriter, _ *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	answerJSON(w, append([]string{}, b.names...))
}

func (b *guestBook) sign(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSpace(r.PostFormValue("name"))
	if name == "" || len([]rune(name)) > maxName {
		http.Error(w, "A name has 1 to 40 characters.", http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	b.names = append([]string{name}, b.names...)
	b.names = b.names[:min(len(b.names), maxGuests)]
	b.mu.Unlock()
	b.list(w, r)
}
