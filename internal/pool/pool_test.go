package pool_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

func TestGet(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 1 << 16, pool.MaxSize - 1, pool.MaxSize, pool.MaxSize + 1} {
		b := pool.Get(n)
		if len(b) != 0 || cap(b) < n {
			t.Errorf("Get(%d) has length %d and capacity %d", n, len(b), cap(b))
		}
		if n <= pool.MaxSize && cap(b) >= 2*max(n, 512) {
			t.Errorf("Get(%d) has capacity %d, more than it needs", n, cap(b))
		}
		pool.Put(b)
	}
}

func TestGrow(t *testing.T) {
	text := []byte("what was there")
	for _, n := range []int{0, 100, 512, 5000, 1 << 16, pool.MaxSize} {
		b := append(pool.Get(len(text)), text...)
		b = pool.Grow(b, n)
		if !bytes.Equal(b, text) || cap(b)-len(b) < n {
			t.Errorf("Grow by %d: %q, room for %d", n, b, cap(b)-len(b))
		}
		pool.Put(b)
	}
}

// What did not come from Get is not lent to others.
func TestPutForeign(t *testing.T) {
	for _, b := range [][]byte{nil, {}, make([]byte, 100), make([]byte, 1000), make([]byte, 2*pool.MaxSize)} {
		pool.Put(b) // must not panic, nor be handed out with less room than asked for
	}
	for n := 1; n <= pool.MaxSize; n *= 2 {
		if b := pool.Get(n); cap(b) < n {
			t.Errorf("Get(%d) has capacity %d", n, cap(b))
		}
	}
}

func TestAllocations(t *testing.T) {
	for _, n := range []int{1, 4096, pool.MaxSize} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			pool.Put(pool.Get(n))
			// The race detector makes sync.Pool drop buffers now and then.
			if got := testing.AllocsPerRun(1000, func() { pool.Put(pool.Get(n)) }); got >= 1 && !raceEnabled {
				t.Errorf("%v allocations", got)
			}
		})
	}
}
