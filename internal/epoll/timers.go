//go:build linux

package epoll

import (
	"container/heap"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// timers are the deadlines of a loop's connections, the next one first. Each
// connection has at most one.
type timers []*socket

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].due < t[j].due }

func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timer, t[j].timer = int32(i+1), int32(j+1)
}

// Push implements heap.Interface.
func (t *timers) Push(x any) {
	s := x.(*socket)
	*t = append(*t, s)
	s.timer = int32(len(*t))
}

// Pop implements heap.Interface.
func (t *timers) Pop() any {
	last := len(*t) - 1
	s := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	s.timer = 0
	return s
}

// set makes due the deadline of s; zero for none.
func (t *timers) set(s *socket, due driver.Instant) {
	switch {
	case due == 0:
		t.clear(s)
	case s.timer > 0:
		s.due = due
		heap.Fix(t, int(s.timer-1))
	default:
		s.due = due
		heap.Push(t, s)
	}
}

func (t *timers) clear(s *socket) {
	if s.timer > 0 {
		heap.Remove(t, int(s.timer-1))
	}
}

// runTimers tells the connections whose deadlines have come.
func (l *loop) runTimers() {
	for len(l.timers) > 0 && l.timers[0].due <= l.now {
		s := heap.Pop(&l.timers).(*socket)
		s.expire(l.now)
	}
}

// setAlarm has Go's poller wake the loop for the next deadline. As with the
// connections' own, it is only moved forward; waking too early does no harm.
func (l *loop) setAlarm() {
	if len(l.timers) == 0 {
		return
	}
	next := l.timers[0].due
	if l.alarm == 0 || next < l.alarm {
		l.alarm = next
		_ = l.file.SetReadDeadline(next.Time())
	}
}
