package protocol_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// requestPhases says what each record of a web server does in each phase of a request: the specification's answer and
// this package's policies, written down apart from its tables. The columns are the records of requestRecords.
//
//   - ignored
//     !      the connection is broken
//     .      accepted, the phase stays
//     over   accepted, and answered with END_REQUEST: the request is inactive again
//     other  accepted, and leads to that phase
var requestPhases = map[string]struct {
	before []record // what leads here
	row    string
}{
	//                                                                  B        P  P∅       I  I∅       D  D∅    X
	"inactive": {nil, "                                            R-params  -  -        -  -        -  -     -"},
	"R-params": {[]record{begin(1, responder, keep)}, "            !         .  R-stdin  -  -        -  -     over"},
	"A-params": {[]record{begin(1, authorizer, keep)}, "           !         .  A-sent   -  -        -  -     over"},
	"F-params": {[]record{begin(1, filter, keep)}, "               !         .  F-stdin  -  -        -  -     over"},
	"R-stdin":  {sentTo(responder, "P"), "                         !         -  -        .  sent     -  -     aborted"},
	"F-stdin":  {sentTo(filter, "P"), "                            !         -  -        .  F-data   -  -     aborted"},
	"F-data":   {sentTo(filter, "PI"), "                           !         -  -        -  -        .  sent  aborted"},
	"A-sent":   {sentTo(authorizer, "P"), "                        !         -  -        -  sent     -  -     aborted"},
	"sent":     {sentTo(responder, "PI"), "                        !         -  -        -  -        -  -     aborted"},
	"A-both":   {sentTo(authorizer, "PI"), "                       !         -  -        -  -        -  -     aborted"},
	"F-sent":   {sentTo(filter, "PID"), "                          !         -  -        -  -        -  -     aborted"},
	"aborted":  {append(sentTo(responder, "P"), abort(1)), "       !         -  -        -  -        -  -     -"},
	"F-gone":   {append(sentTo(filter, "PI"), abort(1)), "         !         -  -        -  -        -  -     -"},
	"refused":  {[]record{begin(1, 99, keep)}, "                   R-params  -  -        -  -        -  -     -"},
	"over":     {[]record{begin(1, responder, keep), abort(1)}, "  R-params  -  -        -  -        -  -     -"},
}

// sentTo is a request up to the ends of the streams named.
func sentTo(role protocol.Role, ended string) []record {
	records := []record{begin(1, role, keep)}
	for _, stream := range ended {
		records = append(records, map[rune]record{'P': params(1, ""), 'I': stdin(1, ""), 'D': data(1, "")}[stream])
	}
	return records
}

var requestRecords = []record{
	begin(1, responder, keep), params(1, nv("a", "b")), params(1, ""), stdin(1, "x"), stdin(1, ""), data(1, "x"), data(1, ""), abort(1),
}

// Each record in each phase has the outcome that the row says, and the phase that it leads to treats each record as
// its own row says.
func TestRequestPhases(t *testing.T) {
	for name, phase := range requestPhases {
		if got := receivedRow(t, phase.before); got != outcomes(phase.row) {
			t.Errorf("%s: got %s, want %s", name, got, outcomes(phase.row))
		}
		for i, cell := range strings.Fields(phase.row) {
			next := name
			switch cell {
			case "!":
				continue
			case "-", ".":
			default:
				next = cell
			}
			after := append(append([]record(nil), phase.before...), requestRecords[i])
			if got, want := receivedRow(t, after), outcomes(requestPhases[next].row); got != want {
				t.Errorf("%s after %s: got %s, want %s as %s", name, describeRecord(requestRecords[i]), got, want, next)
			}
		}
	}
}

// outcomes is a row without the phases' names: + for an accepted record.
func outcomes(row string) string {
	var s strings.Builder
	for _, cell := range strings.Fields(row) {
		switch cell {
		case "!", "-", "over":
			s.WriteString(cell[:1])
		default:
			s.WriteByte('+')
		}
	}
	return s.String()
}

// receivedRow is what an application makes of each record after those before.
func receivedRow(t *testing.T, before []record) string {
	t.Helper()
	var row strings.Builder
	for _, r := range requestRecords {
		c := protocol.NewConn(protocol.Application, nil)
		new(transcript).feed(t, c, wire(before...))
		c.TakeReplies(nil)
		var tr transcript
		tr.feed(t, c, wire(r))
		switch {
		case tr.broken:
			row.WriteByte('!')
		case bytes.Equal(c.TakeReplies(nil), wire(end(1, 0, 0))):
			row.WriteByte('o')
		case len(tr.done()) == 1:
			row.WriteByte('+')
		case len(tr.done()) == 0:
			row.WriteByte('-')
		default:
			row.WriteByte('?')
		}
	}
	return row.String()
}

// In no phase does a record of the other direction, of management or of no known type do anything.
func TestForeignRecords(t *testing.T) {
	foreign := []record{
		stdout(1, "x"), stdout(1, ""), stderr(1, "x"), stderr(1, ""), end(1, 0, 0),
		{protocol.TypeGetValues, 1, ""},
		{protocol.TypeGetValuesResult, 1, ""},
		{protocol.TypeUnknownType, 1, "x"},
		{0, 1, ""},
		{12, 1, "x"},
	}
	for name, phase := range requestPhases {
		c := protocol.NewConn(protocol.Application, nil)
		new(transcript).feed(t, c, wire(phase.before...))
		c.TakeReplies(nil)
		var tr transcript
		tr.feed(t, c, wire(foreign...))
		if got := tr.done(); len(got) > 0 || c.HasReplies() {
			t.Errorf("A15 %s: got %q, replied %q", name, got, c.TakeReplies(nil))
		}
		if got := receivedRow(t, append(append([]record(nil), phase.before...), foreign...)); got != outcomes(phase.row) {
			t.Errorf("A15 %s: the phase has changed: got %s", name, got)
		}
	}
}

// The sender of a request obeys the same rows: what would be ignored it refuses to send.
func TestSentPhases(t *testing.T) {
	for name, phase := range requestPhases {
		if name == "refused" || name == "over" {
			continue // what these lead to is the application's doing
		}
		for i, cell := range strings.Fields(phase.row) {
			r := requestRecords[i]
			s := &sender{Conn: protocol.NewConn(protocol.WebServer, nil), t: t}
			for _, b := range phase.before {
				s.sent(sendRecord(s.Conn, s.out, b))
			}
			out, err := sendRecord(s.Conn, nil, r)
			var want error
			switch cell {
			case "!":
				want = protocol.ErrActiveID
			case "-":
				want = protocol.ErrUnexpectedState
				if name == "inactive" {
					want = protocol.ErrInactiveID
				}
			}
			if !errors.Is(err, want) {
				t.Errorf("%s: sending %s gave %v, want %v", name, describeRecord(r), err, want)
			}
			if err == nil && !bytes.Equal(out, wire(r)) {
				t.Errorf("%s: sending %s gave %q", name, describeRecord(r), out)
			}
		}
	}
}

// sendRecord gives the command that sends r.
func sendRecord(c *protocol.Conn, dst []byte, r record) ([]byte, error) {
	switch {
	case r.t == protocol.TypeBeginRequest:
		b, err := protocol.ParseBeginRequest([]byte(r.content))
		if err != nil {
			return dst, err
		}
		return c.Begin(dst, r.id, b)
	case r.t == protocol.TypeAbortRequest:
		return c.Abort(dst, r.id)
	case r.t == protocol.TypeEndRequest:
		e, err := protocol.ParseEndRequest([]byte(r.content))
		if err != nil {
			return dst, err
		}
		return c.EndRequest(dst, r.id, e)
	case r.content == "":
		return c.SendEnd(dst, r.t, r.id)
	}
	return c.Send(dst, r.t, r.id, []byte(r.content))
}

// responsePhases is the same for the application's direction. Its records are those of responseRecords.
var responsePhases = map[string]struct {
	before []record
	row    string
}{
	//                                                     O  O∅    R  R∅    E
	"open":  {nil, "                                       .  O-out .  R-out over"},
	"O-out": {[]record{stdout(1, "")}, "                   -  -     .  both  over"},
	"R-out": {[]record{stderr(1, "x"), stderr(1, "")}, "   .  both  -  -     over"},
	"both":  {[]record{stdout(1, ""), stderr(1, "")}, "    -  -     -  -     over"},
	"over":  {[]record{stdout(1, "x"), end(1, 0, 0)}, "    -  -     -  -     -"},
}

var responseRecords = []record{stdout(1, "x"), stdout(1, ""), stderr(1, "x"), stderr(1, ""), end(1, 7, 0)}

func TestResponsePhases(t *testing.T) {
	for name, phase := range responsePhases {
		for i, cell := range strings.Fields(phase.row) {
			r := responseRecords[i]
			if got := readResponse(t, append(append([]record(nil), phase.before...), r)); got != (cell != "-") {
				t.Errorf("%s: %s is an event: %v", name, describeRecord(r), got)
			}
			next := cell
			if cell == "-" || cell == "." {
				next = name
			}
			for j, cell := range strings.Fields(responsePhases[next].row) {
				after := append(append([]record(nil), phase.before...), r, responseRecords[j])
				if got := readResponse(t, after); got != (cell != "-") {
					t.Errorf("%s after %s: %s is an event: %v", name, describeRecord(r), describeRecord(responseRecords[j]), got)
				}
			}
		}
	}
}

// readResponse reports whether a web server makes an event of the last record.
func readResponse(t *testing.T, records []record) bool {
	t.Helper()
	c := protocol.NewConn(protocol.WebServer, nil)
	if _, err := c.Begin(nil, 1, keepResponder); err != nil {
		t.Fatal(err)
	}
	last := len(records) - 1
	new(transcript).feed(t, c, wire(records[:last]...))
	var tr transcript
	tr.feed(t, c, wire(records[last]))
	return len(tr.done()) == 1
}

// The sender of a response obeys the same rows. Its END_REQUEST brings the ends of streams that are still owed.
func TestSentResponsePhases(t *testing.T) {
	owed := map[string][]record{
		"open":  {stdout(1, ""), end(1, 7, 0)},
		"O-out": {end(1, 7, 0)},
		"R-out": {stdout(1, ""), end(1, 7, 0)},
		"both":  {end(1, 7, 0)},
	}
	for name, phase := range responsePhases {
		for i, cell := range strings.Fields(phase.row) {
			r := responseRecords[i]
			s := answer(t, []record{begin(1, responder, keep), params(1, "")}, func(s *sender) {
				for _, b := range phase.before {
					s.sent(sendRecord(s.Conn, s.out, b))
				}
			})
			out, err := sendRecord(s.Conn, nil, r)
			want, wantErr := wire(r), error(nil)
			switch {
			case name == "over":
				want, wantErr = nil, protocol.ErrInactiveID
			case cell == "-":
				want, wantErr = nil, protocol.ErrUnexpectedState
			case cell == "over":
				want = wire(owed[name]...)
			}
			if !errors.Is(err, wantErr) || !bytes.Equal(out, want) {
				t.Errorf("%s: sending %s gave %q, %v; want %q, %v", name, describeRecord(r), out, err, want, wantErr)
			}
		}
	}
}

func describeRecord(r record) string {
	return fmt.Sprintf("%v of %d bytes", r.t, len(r.content))
}
