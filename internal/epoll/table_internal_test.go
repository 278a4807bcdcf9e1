//go:build linux

package epoll

import (
	"math/rand/v2"
	"testing"
)

// An entry is found by its slot and generation, for as long as it is there, and never afterwards, however often the slot is
// used again.
func TestTable(t *testing.T) {
	var table table
	var present, gone []*socket
	for range 10_000 {
		if len(present) == 0 || rand.IntN(5) > 1 && len(present) < 50 {
			s := new(socket)
			table.add(s)
			present = append(present, s)
		} else {
			i := rand.IntN(len(present))
			table.remove(present[i])
			gone = append(gone, present[i])
			present = append(present[:i], present[i+1:]...)
		}
		if table.len() != len(present) {
			t.Fatalf("the table has %d entries, want %d", table.len(), len(present))
		}
		for _, s := range present {
			if table.get(s.slot, s.generation) != s {
				t.Fatal("an entry is not found")
			}
		}
	}
	for _, s := range gone {
		if table.get(s.slot, s.generation) != nil {
			t.Fatal("an entry is found that is gone")
		}
	}
	if n := len(table.slots); n > 50 {
		t.Errorf("50 entries took %d slots", n)
	}
}
