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

// run runs what is posted, until there is nothing more.
func (q *Queue) run() {
	for posts := q.take(); len(posts) > 0; posts = q.take() {
		if q.Turn != nil {
			q.Turn.Lock()
		}
		for _, f := range posts {
			f()
		}
		if q.Turn != nil {
			q.Turn.Unlock()
		}
	}
}

// take removes what was posted. If that is nothing, the goroutine ends.
func (q *Queue) take() []func() {
	q.mu.Lock()
	defer q.mu.Unlock()
	posts := q.posts
	q.posts = nil
	q.running = len(posts) > 0
	return posts
}
