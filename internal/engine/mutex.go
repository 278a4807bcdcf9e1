package engine

import "sync"

// A mutex is a sync.Mutex that can be asked, in race builds, whether it is held.
// It cannot tell by whom; that it is held at all finds nearly every mistake.
type mutex struct{ sync.Mutex }

// assertHeld panics in race builds if nobody holds the mutex.
func (m *mutex) assertHeld() {
	if checking && m.TryLock() {
		panic("engine: the mutex is not held")
	}
}
