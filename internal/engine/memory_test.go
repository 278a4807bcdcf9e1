package engine

import (
	"testing"
)

// A connection draws from its own first, then from what all share, and gives back in the other order.
func TestMemoryOfConnections(t *testing.T) {
	e := New(Config{MemoryLimit: 8 * 2 * 1000, MaxConns: 2}) // 1,000 for each, 14,000 for both
	a, b := &conn{engine: e, state: connOpen}, &conn{engine: e, state: connOpen}
	for i, step := range []struct {
		c     *conn
		n     int
		holds bool
		used  int64 // of what is shared
	}{
		{a, 1000, true, 0},
		{a, 1, true, 1},
		{a, 13999, true, 14000},
		{a, 1, false, 14000},
		{b, 1001, false, 14000},
		{b, 1000, true, 14000},
		{b, 1, false, 14000},
		{a, -14000, true, 0},
		{b, 14000, true, 14000},
		{a, 1, false, 14000},
		{a, -1000, true, 14000},
		{b, -15000, true, 0},
	} {
		holds := true
		if step.n < 0 {
			step.c.letGo(-step.n)
		} else {
			holds = step.c.hold(step.n)
		}
		if holds != step.holds || e.memory.shared.Used() != step.used {
			t.Errorf("step %d: %v, %d bytes of what is shared", i, holds, e.memory.shared.Used())
		}
	}
	if a.held != 0 || b.held != 0 || e.memory.held.Load() != 0 {
		t.Errorf("left: %d, %d, %d", a.held, b.held, e.memory.held.Load())
	}
}

// However small or large the limit is, it is the sum of what there is.
func TestMemoryIsTheLimit(t *testing.T) {
	for _, limit := range []int64{0, 1, 100, 79_999, 80_000, 1 << 20, 1 << 29, 1<<63 - 1} {
		for _, conns := range []int{0, 1, 10_000} {
			m := newMemory(limit, conns)
			if sum := int64(m.shared.Limit()) + int64(m.own)*int64(conns); sum != limit {
				t.Errorf("%d for %d connections are %d", limit, conns, sum)
			}
		}
	}
}
