//go:build linux

package epoll

// A table finds the socket that an event is about. Events may be old: between
// fetching and handling, a connection may have gone and its slot be taken by
// another, so each has a generation.
type table struct {
	slots []slot
	free  []int32
	used  int
}

type slot struct {
	socket     *socket
	generation int32
}

func (t *table) len() int { return t.used }

// add gives s a slot.
func (t *table) add(s *socket) {
	if len(t.free) == 0 {
		t.slots = append(t.slots, slot{})
		t.free = append(t.free, int32(len(t.slots)-1))
	}
	last := len(t.free) - 1
	s.slot = t.free[last]
	t.free = t.free[:last]
	sl := &t.slots[s.slot]
	sl.socket = s
	s.generation = sl.generation
	t.used++
}

// remove frees the slot of s.
func (t *table) remove(s *socket) {
	sl := &t.slots[s.slot]
	sl.socket = nil
	sl.generation++
	t.free = append(t.free, s.slot)
	t.used--
}

// get returns the socket that an event names, or nil if it is gone.
func (t *table) get(index, generation int32) *socket {
	if sl := t.slots[index]; sl.generation == generation {
		return sl.socket
	}
	return nil
}
