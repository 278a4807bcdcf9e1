package driver_test

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// Functions run in the order in which they were posted, those that others post as well; and when there are none no goroutine
// is left.
func TestQueueOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q driver.Queue
		for range 2 { // the second time it has been idle
			var order []int
			for i := range 3 {
				q.Post(func() {
					order = append(order, i)
					q.Post(func() { order = append(order, 10+i) })
				})
			}
			synctest.Wait()
			if want := []int{0, 1, 2, 10, 11, 12}; !slices.Equal(order, want) {
				t.Errorf("ran in the order %v, want %v", order, want)
			}
		}
	})
}

// Functions never run beside each other, however many goroutines post them, nor beside whoever has the turn.
func TestQueueOneAtATime(t *testing.T) {
	const posters, each = 10, 100
	var turn sync.Mutex
	q := driver.Queue{Turn: &turn}
	var ran int // the race detector watches it
	var posting, done sync.WaitGroup
	done.Add(posters * each)
	for range posters {
		posting.Go(func() {
			for range each {
				q.Post(func() {
					ran++
					done.Done()
				})
				turn.Lock()
				ran += 0
				turn.Unlock()
			}
		})
	}
	posting.Wait()
	done.Wait()
	turn.Lock()
	defer turn.Unlock()
	if ran != posters*each {
		t.Errorf("%d functions ran, want %d", ran, posters*each)
	}
}

// Post returns before the function runs to its end, so that it may be called with any lock held.
func TestQueuePostDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var q driver.Queue
		blocked := make(chan struct{})
		ran := false
		q.Post(func() { <-blocked })
		q.Post(func() { ran = true })
		synctest.Wait()
		if ran {
			t.Error("a function ran beside another")
		}
		close(blocked)
		synctest.Wait()
		if !ran {
			t.Error("a function did not run")
		}
	})
}
