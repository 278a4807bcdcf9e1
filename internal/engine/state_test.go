package engine

import (
	"fmt"
	"strings"
	"testing"
)

// connRows says what becomes of a connection: the policy, written down apart from connTable. A row has a state for
// each event, in the order of connColumns: "." for the same, "!" for what cannot happen. What entering it asks for
// follows in brackets: w to close this side, c to close the socket, r to take the connection off the list.
var connRows = map[connState]string{
	//                    spoke     drain           busy            last      grace     retire    quiet      unread        inside        input end     close
	connFresh:         "open      fresh-draining  fresh-draining  !         .         retiring  .          .             .             half-closed   closed[c]",
	connFreshDraining: "draining  .               .               !         .         retiring  .          .             .             half-closed   closed[c]",
	connOpen:          "!         parting         draining        !         .         retiring  .          .             .             half-closed   closed[c]",
	connParting:       "!         .               .               draining  draining  retiring  .          .             .             half-closed   closed[c]",
	connDraining:      "!         .               .               !         .         retiring  closed[c]  lingering[w]  .             half-closed   closed[c]",
	connRetiring:      "!         .               .               !         .         .         closed[c]  lingering[w]  lingering[w]  half-closed   closed[c]",
	connHalfClosed:    "!         .               .               !         .         .         gone[cr]   gone[cr]      gone[cr]      !             gone[cr]",
	connLingering:     "!         .               .               !         .         .         .          .             .             gone[cr]      closed[c]",
	connClosed:        "!         .               .               !         .         .         .          .             .             gone[r]       .",
	connGone:          "!         .               .               !         .         .         .          .             .             !             .",
}

var connColumns = []connEvent{
	evSpoke, evDrain, evDrainBusy, evLastRequest, evGraceOver, evRetire, evQuiet, evQuietUnread, evQuietInside, evInputEnd, evClose,
}

func TestConnTable(t *testing.T) {
	if len(connColumns) != int(connEvents) || len(connRows) != int(connStates)-1 {
		t.Fatal("a state or an event has no place in the test")
	}
	for from, row := range connRows {
		for i, want := range strings.Fields(row) {
			ev := connColumns[i]
			c := &conn{engine: New(Config{}), sock: new(fakeSocket), state: from}
			got := outcome(func() {
				c.enter()
				defer c.mu.Unlock()
				c.on(ev)
			}, func() string { return connOutcome(from, c) })
			if got != want && (checking || want != "!") {
				t.Errorf("%v in state %v: got %s, want %s", ev, from, got, want)
			}
		}
	}
}

// connOutcome is the cell of what has become of a connection.
func connOutcome(from connState, c *conn) string {
	cell := "."
	if c.state != from {
		cell = strings.ReplaceAll(c.state.String(), " ", "-")
	}
	marks := ""
	for mark, set := range map[string]bool{"w": c.effects.closeWrite, "c": c.effects.close} {
		if set {
			marks += mark
		}
	}
	if c.effects.remove {
		marks += "r"
	}
	if marks != "" {
		cell += "[" + marks + "]"
	}
	return cell
}

// outcome is what f led to, "!" if it panicked, as what is illegal does in race builds. Elsewhere it changes nothing.
func outcome(f func(), result func() string) (cell string) {
	defer func() {
		if reason := recover(); reason != nil {
			if !strings.HasPrefix(fmt.Sprint(reason), "engine: ") {
				panic(reason)
			}
			cell = "!"
		}
	}()
	f()
	return result()
}

// exchangeRows says the same of a request, apart from table.
var exchangeRows = map[state]string{
	//               begin      complete  start    finish later  abort    end    release
	stateFree:      "receiving  !         !        !             !        !      !",
	stateReceiving: "!          queued    !        !             !        free   !",
	stateQueued:    "!          !         running  !             !        free   !",
	stateRunning:   "!          !         !        finishing     aborted  ended  free",
	stateFinishing: "!          !         !        !             .        stopping  free",
	stateAborted:   "!          !         !        finishing     .        ended  free",
	stateEnded:     "!          !         !        stopping      .        .      free",
	stateStopping:  "!          !         !        !             .        .      free",
}

func TestExchangeTable(t *testing.T) {
	if len(exchangeRows) != int(states) {
		t.Fatal("a state has no place in the test")
	}
	for from, row := range exchangeRows {
		cells := strings.Fields(row)
		if len(cells) != int(events) {
			t.Fatalf("the row of %v has %d events", from, len(cells))
		}
		for i, want := range cells {
			x := &exchange{state: from}
			got := outcome(func() { x.on(event(i)) }, func() string {
				if x.state == from {
					return "."
				}
				return x.state.String()
			})
			if got != want && (checking || want != "!") {
				t.Errorf("%v in state %v: got %s, want %s", event(i), from, got, want)
			}
		}
	}
}

// Names are there for every state and event.
func TestStatesHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for i := range connStates {
		name := i.String()
		if name == "" || seen[name] {
			t.Errorf("connState %d is called %q", i, name)
		}
		seen[name] = true
	}
	for i := range connEvents {
		if i.String() == "" {
			t.Errorf("connEvent %d has no name", i)
		}
	}
	for i := range states {
		if i.String() == "" {
			t.Errorf("state %d has no name", i)
		}
	}
	for i := range events {
		if i.String() == "" {
			t.Errorf("event %d has no name", i)
		}
	}
}

// In race builds the mutex notices that it is not held.
func TestAssertHeld(t *testing.T) {
	if !checking {
		t.Skip("checked in race builds only")
	}
	c := &conn{engine: New(Config{}), sock: new(fakeSocket), state: connOpen}
	if got := outcome(func() { c.on(evDrain) }, func() string { return "nothing" }); got != "!" {
		t.Errorf("without the mutex: %s", got)
	}
}
