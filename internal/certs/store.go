package certs

import (
	"sync"
	"sync/atomic"
	"time"
)

// interval is how often the files are looked at, at most.
const interval = time.Second

// A Store holds the content of files. Its methods may be called concurrently.
type Store struct {
	files Files
	told  func(error)

	content atomic.Pointer[Content] // never nil

	// Guarded by looking.
	looking sync.Mutex
	looked  time.Time
	used    stamps // what the files were when content was read
	toldOf  stamps // what they were when told was called last
}

// Open reads the files. When they have changed since, told is called once for each change: with nil if the new content is in use, or
// with the reason why it is not, and the old one stays. It is called in the middle of a handshake, by one goroutine at a time.
func Open(files Files, told func(error)) (*Store, error) {
	found := files.look()
	s := &Store{files: files, told: told, looked: time.Now(), used: found, toldOf: found}
	content, err := files.read()
	if err != nil {
		return nil, err
	}
	s.content.Store(content)
	return s, nil
}

// Content returns the content to begin a handshake with, and looks before that whether the files have changed, unless somebody
// does so just now: a disk that hangs holds up one handshake and no other.
func (s *Store) Content() *Content {
	if s.files != (Files{}) && s.looking.TryLock() {
		s.look()
		s.looking.Unlock()
	}
	return s.content.Load()
}

// look reads the files if they have changed. Those that could not be used are tried again each time: it may have been a file
// that belongs to another one which was not there yet, or a moment without descriptors.
func (s *Store) look() {
	now := time.Now()
	if now.Sub(s.looked) < interval {
		return
	}
	s.looked = now
	// Before they are read: what changes from here on is seen the next time.
	found := s.files.look()
	if found.same(s.used) {
		s.toldOf = found
		return
	}
	content, err := s.files.read()
	if err == nil {
		s.used = found
		s.content.Store(content)
	}
	if err == nil || !found.same(s.toldOf) {
		s.toldOf = found
		s.told(err)
	}
}
