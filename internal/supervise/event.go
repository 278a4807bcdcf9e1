package supervise

import (
	"strconv"
	"time"
)

// An EventKind says what happened to a worker.
type EventKind int

const (
	Started EventKind = iota + 1 // a process was started
	Wrote                        // a process wrote a line to its standard output or error
	Ended                        // a process ended, or the next one could not be started
)

func (k EventKind) String() string {
	switch k {
	case Started:
		return "Started"
	case Wrote:
		return "Wrote"
	case Ended:
		return "Ended"
	}
	return "EventKind(" + strconv.Itoa(int(k)) + ")"
}

// An Event is something that happened to a worker of a Pool.
type Event struct {
	Kind   EventKind
	Worker int // from 1 to Pool.Workers; it stays when its process is replaced
	PID    int // 0 where a process could not be started

	// Line is what a process wrote, without its line end. A line longer than 8,192 bytes comes in several.
	Line string

	// Err says how a process ended: nil for exit status 0, otherwise an *exec.ExitError; or why the next one could not
	// be started.
	Err error
	// Restart is how long after an end the next process is started; 0 means never, since the pool is being shut down.
	Restart time.Duration
}
