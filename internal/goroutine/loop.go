package goroutine

import "sync"

// A loop runs functions one at a time, without a goroutine while it has none.
type loop struct {
	// turn is held by whoever runs callbacks: holding it is being the loop.
	turn sync.Mutex

	mu      sync.Mutex
	posts   []func()
	posting bool // runPosts is running
}

// Post runs f on the loop, after Post has returned.
func (l *loop) Post(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.posts = append(l.posts, f)
	if !l.posting {
		l.posting = true
		go l.runPosts()
	}
}

// runPosts takes turns with others at being the loop, until nothing is posted
// any more.
func (l *loop) runPosts() {
	for {
		l.mu.Lock()
		posts := l.posts
		l.posts = nil
		l.posting = len(posts) > 0
		l.mu.Unlock()
		if len(posts) == 0 {
			return
		}
		l.turn.Lock()
		for _, f := range posts {
			f()
		}
		l.turn.Unlock()
	}
}
