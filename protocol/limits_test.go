package protocol_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	tooLarge = "request: PARAMS 1 § parameters are too large"
	tooMany  = "request: PARAMS 1 § too many parameters"
)

// pairsOf is a block of n bytes in count pairs.
func pairsOf(n, count int) string {
	block := strings.Repeat(nv("", ""), count-1)
	last := n - len(block) - 2
	if last >= 128 {
		last -= 3
	}
	return block + nv("", strings.Repeat("v", last))
}

// Each limit of Config at one below, at it and at one above, as set and as the default.
func TestParamsLimits(t *testing.T) {
	limited := &protocol.Config{MaxParams: 300, MaxPairs: 7}
	noMaxParams, noMaxPairs := &protocol.Config{MaxParams: -1}, &protocol.Config{MaxPairs: -1}
	for _, tt := range []struct {
		name   string
		config *protocol.Config
		block  string
		want   string
	}{
		{"MaxParams 300: 299", limited, pairsOf(299, 1), ""},
		{"MaxParams 300: 300", limited, pairsOf(300, 1), ""},
		{"MaxParams 300: 301", limited, pairsOf(301, 1), tooLarge},
		{"MaxParams 65536: 65535", nil, pairsOf(65535, 1), ""},
		{"MaxParams 65536: 65536", nil, pairsOf(65536, 2), ""},
		{"MaxParams 65536: 65537", nil, pairsOf(65537, 2), tooLarge},
		{"MaxPairs 7: 6", limited, pairsOf(50, 6), ""},
		{"MaxPairs 7: 7", limited, pairsOf(50, 7), ""},
		{"MaxPairs 7: 8", limited, pairsOf(50, 8), tooMany},
		{"MaxPairs 1000: 999", nil, pairsOf(3000, 999), ""},
		{"MaxPairs 1000: 1000", nil, pairsOf(3000, 1000), ""},
		{"MaxPairs 1000: 1001", nil, pairsOf(3000, 1001), tooMany},
		{"MaxParams -1", noMaxParams, pairsOf(65537, 2), ""},
		{"MaxParams -1, and too many pairs", noMaxParams, pairsOf(3000, 1001), tooMany},
		{"MaxPairs -1", noMaxPairs, pairsOf(3000, 1001), ""},
		{"MaxPairs -1, and too much", noMaxPairs, pairsOf(65537, 1001), tooLarge},
	} {
		records := []record{begin(1, responder, keep)}
		for part := range slices.Chunk([]byte(tt.block), protocol.MaxContentLen) {
			records = append(records, params(1, string(part)))
		}
		run(t, []conversation{{
			name: tt.name, reader: protocol.Application, config: tt.config,
			wire: append(records, params(1, ""), stdin(1, "")), want: wantBlock(tt.block, tt.want),
		}})
	}
}

// A21: a limit is passed when the lengths are announced, not when the bytes have come.
func TestLimitByAnnouncement(t *testing.T) {
	for _, tt := range []struct {
		announced int
		want      string
	}{
		{293, piece(protocol.TypeParams, 1, "\x01"+long(293)+"n")}, // 6 bytes besides: 299
		{294, piece(protocol.TypeParams, 1, "\x01"+long(294)+"n")},
		{295, tooLarge},
		{0x7fffffff, tooLarge},
	} {
		run(t, []conversation{{
			name:   fmt.Sprintf("A21 announced %#x", tt.announced),
			reader: protocol.Application,
			config: &protocol.Config{MaxParams: 300},
			wire:   []record{begin(1, responder, keep), params(1, "\x01"+long(tt.announced)+"n")},
			want:   []string{"BEGIN_REQUEST 1 RESPONDER keep", tt.want},
		}})
	}
}

// Below zero there is no limit but that of the ids.
func TestNoRequestLimit(t *testing.T) {
	c := protocol.NewConn(protocol.Application, &protocol.Config{MaxRequests: -1})
	var tr transcript
	const most = 65535
	for id := 1; id <= most; id++ {
		tr.feed(t, c, wire(begin(uint16(id), responder, keep)))
	}
	if c.HasReplies() || c.Active() != most {
		t.Errorf("%d requests are active, replies %q", c.Active(), c.TakeReplies(nil))
	}
}

// MaxRequests, and the numbers at which the list of requests gets an index (17) and loses it again.
func TestRequestLimits(t *testing.T) {
	for _, tt := range []struct{ limit, real int }{
		{1, 1}, {2, 2}, {15, 15}, {16, 16}, {17, 17}, {0, protocol.DefaultMaxRequests}, {1000, 1000},
	} {
		t.Run(fmt.Sprintf("A35 MaxRequests %d", tt.limit), func(t *testing.T) {
			c := protocol.NewConn(protocol.Application, &protocol.Config{MaxRequests: tt.limit})
			var tr transcript
			for id := 1; id <= tt.real+1; id++ {
				if c.HasReplies() {
					t.Fatalf("request %d was refused", id-1)
				}
				tr.feed(t, c, wire(begin(uint16(id), responder, keep)))
			}
			refused := protocol.StatusOverloaded
			if tt.real == 1 {
				refused = protocol.StatusCantMultiplex
			}
			if got := c.TakeReplies(nil); !bytes.Equal(got, wire(end(uint16(tt.real+1), 0, refused))) {
				t.Errorf("request %d was answered %q", tt.real+1, got)
			}
			if c.Active() != tt.real {
				t.Errorf("%d requests are active", c.Active())
			}
			// One gone, one may come.
			tr.feed(t, c, wire(abort(1)))
			c.TakeReplies(nil)
			tr.feed(t, c, wire(begin(1, responder, keep)))
			if c.HasReplies() || c.Active() != tt.real {
				t.Errorf("%d requests are active, replied %q", c.Active(), c.TakeReplies(nil))
			}
		})
	}
}

// Requests come and go in random order, few and many: each keeps what is its own.
func TestManyRequests(t *testing.T) {
	rng := random(t)
	for _, most := range []int{1, 15, 16, 17, 18, 100} {
		t.Run(fmt.Sprintf("up to %d at once", most), func(t *testing.T) {
			c := protocol.NewConn(protocol.Application, &protocol.Config{MaxRequests: most})
			churn(t, rng, c, most)
		})
	}
}

func churn(t *testing.T, rng *rand.Rand, c *protocol.Conn, most int) {
	var active []uint16
	var tr transcript
	tr.react = func(ev protocol.Event, err error) {
		if ev.Type == protocol.TypeBeginRequest {
			c.Attach(ev.RequestID, ev.RequestID)
		} else if ev.User != ev.RequestID {
			t.Fatalf("%v of request %d carries %v", ev.Type, ev.RequestID, ev.User)
		}
	}
	for i := range 3000 {
		// Waves: mostly begins, then mostly ends, down to none.
		rising := i/(3*most)%2 == 0
		id := uint16(1 + rng.IntN(65535))
		switch known := slices.Contains(active, id); {
		case !known && len(active) < most && (rising || rng.IntN(4) == 0):
			tr.feed(t, c, wire(begin(id, responder, keep), params(id, "")))
			active = append(active, id)
		case len(active) > 0 && !(rising && rng.IntN(4) > 0):
			k := rng.IntN(len(active))
			if _, err := c.EndRequest(nil, active[k], protocol.EndRequest{}); err != nil {
				t.Fatal(err)
			}
			active = slices.Delete(active, k, k+1)
		}
		before := len(tr.lines)
		for _, id := range active {
			tr.feed(t, c, wire(stdin(id, "x")))
		}
		tr.flush()
		if got := len(tr.lines) - before; got != len(active) || c.Active() != len(active) {
			t.Fatalf("%d of %d requests got their record, %d are active", got, len(active), c.Active())
		}
		tr.lines = tr.lines[:0]
	}
	if c.HasReplies() {
		t.Errorf("replied %q", c.TakeReplies(nil))
	}
}

// MaxValueNameLen: a longer name is an unknown one.
func TestValueNameLimit(t *testing.T) {
	for _, n := range []int{protocol.MaxValueNameLen - 1, protocol.MaxValueNameLen, protocol.MaxValueNameLen + 1} {
		name := strings.Repeat("n", n)
		reply := getValuesResult(nv(name, "v"))
		answer := `GET_VALUES_RESULT "` + name + `"="v" end`
		if n > protocol.MaxValueNameLen {
			reply, answer = getValuesResult(""), "GET_VALUES_RESULT nil end"
		}
		run(t, []conversation{
			{
				name:    fmt.Sprintf("A23 asked for a name of %d bytes", n),
				reader:  protocol.Application,
				config:  &protocol.Config{Values: []protocol.Value{constant(name, "v"), constant(name[1:], "x")}},
				wire:    []record{getValues(nv(name, ""))},
				replies: []record{reply},
			},
			{
				name:   fmt.Sprintf("C11 told a name of %d bytes", n),
				reader: protocol.WebServer,
				wire:   []record{getValuesResult(nv(name, "v"))},
				want:   []string{answer},
			},
		})
	}
}

// MaxValues: an application that has more tells the first ones.
func TestValuesLimit(t *testing.T) {
	for _, n := range []int{protocol.MaxValues - 1, protocol.MaxValues, protocol.MaxValues + 1} {
		var config protocol.Config
		var question, answer string
		for i := range n {
			name := fmt.Sprint("name", i)
			config.Values = append(config.Values, constant(name, fmt.Sprint(i)))
			question += nv(name, "")
			if i < protocol.MaxValues {
				answer += nv(name, fmt.Sprint(i))
			}
		}
		run(t, []conversation{{
			name:    fmt.Sprintf("A23 %d values", n),
			reader:  protocol.Application,
			config:  &config,
			wire:    []record{getValues(question)},
			replies: []record{getValuesResult(answer)},
		}})
	}
}

// A24: the answer is one record. A value that does not fit is left out, one after it that does is told.
func TestAnswerLimit(t *testing.T) {
	const room = protocol.MaxContentLen - 6 // of a value beside its name of one byte and its lengths
	for _, n := range []int{room - 1, room, room + 1} {
		value := strings.Repeat("v", n)
		want := nv("a", value)
		if n > room {
			want = nv("b", "small")
		}
		run(t, []conversation{{
			name:    fmt.Sprintf("A24 a value of %d bytes", n),
			reader:  protocol.Application,
			config:  &protocol.Config{Values: []protocol.Value{constant("a", value), constant("b", "small")}},
			wire:    []record{getValues(nv("a", "") + nv("b", ""))},
			replies: []record{getValuesResult(want)},
		}})
	}
}
