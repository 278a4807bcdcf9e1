package driver

import "sync"

// A Queue is a Loop that serves no connection: it runs functions one at a time,
// in the order in which they were posted, in a goroutine that it has only while
// there are some. The zero value is ready to use.
type Queue struct {
	// Turn is held while functions run, for those who take turns with them; nil
	// if nobody does.
	Turn sync.Locker

	mu      sync.Mutex
	posts   []func()
	running bool // the goroutine is there

	doing []func() // owned by the goroutine
}

// Post implements Loop.
func (q *Queue) Post(f func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.posts = append(q.posts, f)
	if !q.running {
		q.running = true
		go q.run()
	}
}

// run runs what is posted, until there is nothing more. A function may end the
// goroutine (runtime.Goexit): another goes on with the next.
func (q *Queue) run() {
	over := false
	defer func() {
		if !over {
			go q.run()
		}
	}()
	for len(q.doing) > 0 || q.take() {
		q.turn()
	}
	over = true
}

func (q *Queue) turn() {
	if q.Turn != nil {
		q.Turn.Lock()
		defer q.Turn.Unlock()
	}
	for len(q.doing) > 0 {
		f := q.doing[0]
		q.doing = q.doing[1:]
		f()
	}
}

// take takes what was posted. If that is nothing, the goroutine ends.
func (q *Queue) take() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.doing, q.posts = q.posts, nil
	q.running = len(q.doing) > 0
	return q.running
}
