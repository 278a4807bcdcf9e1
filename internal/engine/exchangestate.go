package engine

// A state is how far a request is on its way through the engine.
type state uint8

const (
	stateFree      state = iota // no request: the exchange may be used for the next
	stateReceiving              // parameters are arriving
	stateQueued                 // for a place among MaxConcurrency
	stateRunning                // a handler has it
	stateFinishing              // its handler has finished; a stream is still to be sent
	stateAborted                // nobody wants the answer; END_REQUEST is still the handler's to send (§5.4)
	stateEnded                  // it is over for the web server; its handler does not know yet
	stateStopping               // the same, but its handler has finished, and its stream is to be closed
	states                      // how many there are
)

// An event is something that happens to a request.
type event uint8

const (
	evBegin       event = iota // BEGIN_REQUEST came
	evComplete                 // the parameters are whole
	evStart                    // it has its place, and a handler gets it
	evFinishLater              // its handler has finished, but not its stream
	evAbort                    // ABORT_REQUEST came, or reading and writing failed
	evEnd                      // the engine ends it: refused, timed out, out of room, or the connection is lost
	evRelease                  // its handler gives it back
	events
)

// impossible stands in the table for what cannot happen.
const impossible = states

// table says where an event leads. There are two ways out: the engine ends a
// request that no handler has, and a handler gives back the one that it has. Both
// lead through free, and nothing else does.
var table = [states][events]state{
	stateFree: {
		evBegin: stateReceiving, evComplete: impossible, evStart: impossible, evFinishLater: impossible,
		evAbort: impossible, evEnd: impossible, evRelease: impossible,
	},
	stateReceiving: {
		evBegin: impossible, evComplete: stateQueued, evStart: impossible, evFinishLater: impossible,
		evAbort: impossible, evEnd: stateFree, evRelease: impossible,
	},
	stateQueued: {
		evBegin: impossible, evComplete: impossible, evStart: stateRunning, evFinishLater: impossible,
		evAbort: impossible, evEnd: stateFree, evRelease: impossible,
	},
	stateRunning: {
		evBegin: impossible, evComplete: impossible, evStart: impossible, evFinishLater: stateFinishing,
		evAbort: stateAborted, evEnd: stateEnded, evRelease: stateFree,
	},
	stateFinishing: {
		evBegin: impossible, evComplete: impossible, evStart: impossible, evFinishLater: impossible,
		evAbort: stateFinishing, evEnd: stateStopping, evRelease: stateFree,
	},
	stateAborted: {
		evBegin: impossible, evComplete: impossible, evStart: impossible, evFinishLater: stateFinishing,
		evAbort: stateAborted, evEnd: stateEnded, evRelease: stateFree,
	},
	stateEnded: {
		evBegin: impossible, evComplete: impossible, evStart: impossible, evFinishLater: stateStopping,
		evAbort: stateEnded, evEnd: stateEnded, evRelease: stateFree,
	},
	stateStopping: {
		evBegin: impossible, evComplete: impossible, evStart: impossible, evFinishLater: impossible,
		evAbort: stateStopping, evEnd: stateStopping, evRelease: stateFree,
	},
}

// hasHandler reports whether a handler has the request, and so a place among
// MaxConcurrency.
func (s state) hasHandler() bool { return s >= stateRunning }

// over reports whether it is over for the web server.
func (s state) over() bool { return s == stateEnded || s == stateStopping }

// finished reports whether its handler has finished, though it is not released.
func (s state) finished() bool { return s == stateFinishing || s == stateStopping }

// on takes an exchange along its table. It reports whether there was such a step.
func (x *exchange) on(ev event) bool {
	next := table[x.state][ev]
	if next == impossible {
		illegal("request", x.state, ev)
		return false
	}
	x.state = next
	return true
}

var stateNames = [states]string{"free", "receiving", "queued", "running", "finishing", "aborted", "ended", "stopping"}

func (s state) String() string { return stateNames[s] }

var eventNames = [events]string{"begin", "complete", "start", "finish later", "abort", "end", "release"}

func (e event) String() string { return eventNames[e] }
