package engine

import (
	"slices"
	"sync"
	"time"
)

// A Task is a blocking handler at work on a request. Run returns when the request
// has been finished.
type Task interface{ Run() }

// workers are the goroutines that run Tasks. One that has served a request
// waits for another for a while: its stack has grown to what handlers need, which
// costs a small request as much as all that the server does for it.
type workers struct {
	mu      sync.Mutex
	serving int         // listeners; without any, no worker waits
	idle    []chan Task // the one that waits longest is the first
	least   int         // the fewest that were idle since the last trim
	timer   *time.Timer // of the next trim; nil while none is idle
}

// workerIdle is how long a worker waits, up to twice as long in effect.
const workerIdle = time.Second

// run has a worker run a task.
func (w *workers) run(task Task) {
	w.mu.Lock()
	last := len(w.idle) - 1
	if last < 0 {
		w.mu.Unlock()
		go w.work(task)
		return
	}
	next := w.idle[last]
	w.idle = w.idle[:last]
	w.least = min(w.least, last)
	w.mu.Unlock()
	next <- task // it has room for one
}

// work is a worker.
func (w *workers) work(task Task) {
	next := make(chan Task, 1)
	for ok := true; ok; task, ok = <-next {
		task.Run()
		if !w.wait(next) {
			return
		}
	}
}

// wait lists a worker as idle. It returns false if it is not needed any more.
func (w *workers) wait(next chan Task) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serving == 0 {
		return false
	}
	w.idle = append(w.idle, next)
	if w.timer == nil {
		w.least = 0
		w.timer = time.AfterFunc(workerIdle, w.trim)
	}
	return true
}

// trim ends the workers that nobody needed since the last trim.
func (w *workers) trim() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.timer == nil {
		return // too late: close was faster
	}
	w.dismiss(w.least)
	if w.least = len(w.idle); w.least > 0 {
		w.timer.Reset(workerIdle)
	} else {
		w.timer = nil
	}
}

// dismiss ends the n workers that wait longest.
func (w *workers) dismiss(n int) {
	for _, next := range w.idle[:n] {
		close(next)
	}
	w.idle = slices.Delete(w.idle, 0, n)
}

// open says that one more listener is served.
func (w *workers) open() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serving++
}

// close says that one is not any more. After the last, workers end as soon as they
// are idle.
func (w *workers) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.serving--; w.serving > 0 {
		return
	}
	w.dismiss(len(w.idle))
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
}
