package protocol_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// blocks are whole sets of parameters and what an application is to think of them.
var blocks = []struct {
	name  string
	block string
	want  string // the error, "" if there is none
}{
	{"A17 two short lengths", "\x01\x02abb", ""},
	{"A17 long name", long(128) + "\x01" + strings.Repeat("n", 128) + "v", ""},
	{"A17 long value", "\x01" + long(128) + "n" + strings.Repeat("v", 128), ""},
	{"A17 both long", long(128) + long(300) + strings.Repeat("n", 128) + strings.Repeat("v", 300), ""},
	{"A17 lengths of 127", "\x7f\x7f" + strings.Repeat("n", 127) + strings.Repeat("v", 127), ""},
	{"A17 four bytes for small lengths", long(1) + long(0) + "n", ""},
	{"A17 four bytes for nothing, at the end", "\x00" + long(0), ""},
	{"A19 none", "", ""},
	{"A22 empty name", "\x00\x01v", ""},
	{"A22 empty name and value", "\x00\x00", ""},
	{"A22 duplicate name", nv("n", "1") + nv("n", "2"), ""},
	{"A22 NUL in a value", nv("n", "a\x00b"), "request: PARAMS 1 §6.1 NUL byte in a name-value pair"},
	{"A22 NUL in a name", nv("n\x00", "a"), "request: PARAMS 1 §6.1 NUL byte in a name-value pair"},
	{"A20 half a length", "\x80\x00\x00", "connection: PARAMS 1 §3.4 name-value pair is cut short"},
	{"A20 one length", "\x01", "connection: PARAMS 1 §3.4 name-value pair is cut short"},
	{"A20 no name", "\x01\x00", "connection: PARAMS 1 §3.4 name-value pair is cut short"},
	{"A20 half a name", "\x02\x00n", "connection: PARAMS 1 §3.4 name-value pair is cut short"},
	{"A20 half a value", nv("a", "b") + "\x01\x02nv", "connection: PARAMS 1 §3.4 name-value pair is cut short"},
	{"A21 name 0x7fffffff", long(0x7fffffff) + "\x00n", "request: PARAMS 1 § parameters are too large"},
	{"A21 value 0x7fffffff", "\x01" + long(0x7fffffff) + "n", "request: PARAMS 1 § parameters are too large"},
	{"A21 eight 0xff", strings.Repeat("\xff", 8) + "nv", "request: PARAMS 1 § parameters are too large"},
	{"A21 sum of 2 to the 32", long(0x7fffffff) + long(0x7fffffff), "request: PARAMS 1 § parameters are too large"},
}

// A18 to A21: however the records and the chunks cut a block, the application comes to the same view of it.
func TestParamsBlocks(t *testing.T) {
	for _, b := range blocks {
		t.Run(b.name, func(t *testing.T) {
			for at := range len(b.block) + 1 {
				records := []record{begin(1, responder, keep)}
				for _, part := range []string{b.block[:at], b.block[at:]} {
					if part != "" {
						records = append(records, params(1, part))
					}
				}
				talk := conversation{
					reader: protocol.Application,
					wire:   append(records, params(1, ""), stdin(1, "")),
					want:   wantBlock(b.block, b.want),
				}
				way := fmt.Sprintf("A18 cut at %d", at)
				talk.play(t, way, wire(talk.wire...), 1<<20)
				talk.play(t, way+", byte by byte", wire(talk.wire...), 1)
			}
		})
	}
}

// wantBlock is the transcript of a request with the given parameters.
func wantBlock(block, fault string) []string {
	want := []string{"BEGIN_REQUEST 1 RESPONDER keep"}
	if block != "" && !strings.HasPrefix(fault, "request:") {
		want = append(want, piece(protocol.TypeParams, 1, block))
	}
	if fault != "" {
		return append(want, fault)
	}
	return append(want, "PARAMS 1 end", "STDIN 1 end")
}

// A request that was given up is the application's to answer: nothing of it comes any more, its siblings go on, and
// its id is free again afterwards.
func TestGivenUp(t *testing.T) {
	c := protocol.NewConn(protocol.Application, nil)
	var tr transcript
	tr.feed(t, c, wire(
		begin(1, responder, keep), begin(2, responder, keep), params(1, nv("n", "\x00")), params(1, nv("a", "b")), params(1, ""),
		stdin(1, "x"), stdin(1, ""), abort(1), params(2, ""),
	))
	out, err := c.EndRequest(nil, 1, protocol.EndRequest{AppStatus: 1})
	if err != nil || string(out) != string(wire(stdout(1, ""), end(1, 1, 0))) {
		t.Errorf("EndRequest gave %q, %v", out, err)
	}
	tr.feed(t, c, wire(begin(1, responder, keep), params(1, ""), stdin(2, "")))
	want := []string{
		"BEGIN_REQUEST 1 RESPONDER keep", "BEGIN_REQUEST 2 RESPONDER keep",
		"request: PARAMS 1 §6.1 NUL byte in a name-value pair", "PARAMS 2 end",
		"BEGIN_REQUEST 1 RESPONDER keep", "PARAMS 1 end", "STDIN 2 end",
	}
	if got := tr.done(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Where several limits are passed at once, or a limit and a rule, the cause is the first byte's, however they arrive.
func TestFirstFaultWins(t *testing.T) {
	const nul = "request: PARAMS 1 §6.1 NUL byte in a name-value pair"
	config := &protocol.Config{MaxParams: 20, MaxPairs: 2}
	for _, b := range []struct{ name, block, want string }{
		{"NUL, then too large", nv("a", "\x00") + nv("b", strings.Repeat("c", 40)), nul},
		{"too large, then NUL", nv("b", strings.Repeat("c", 40)) + nv("a", "\x00"), tooLarge},
		{"too many, then too large", nv("", "") + nv("", "") + nv("", "") + nv("b", strings.Repeat("c", 40)), tooMany},
		{"too many and too large", nv("", "") + nv("", "") + nv("b", strings.Repeat("c", 40)), tooLarge},
		{"too large by the lengths alone", nv("a", strings.Repeat("c", 17)) + long(1) + long(1) + "dd", tooLarge},
		{"too large within a length", nv("a", strings.Repeat("c", 17)) + "\x80", tooLarge},
	} {
		talk := conversation{
			name:   b.name,
			reader: protocol.Application,
			config: config,
			wire:   []record{begin(1, responder, keep), params(1, b.block), params(1, "")},
			want:   wantBlock(b.block, b.want),
		}
		run(t, []conversation{talk})
	}
}
