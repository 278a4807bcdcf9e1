package protocol_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// allocates0 states that f allocates nothing once it has run.
func allocates0(t *testing.T, f func()) {
	t.Helper()
	f()
	if got := testing.AllocsPerRun(100, f); got > 0 {
		t.Errorf("%v allocations", got)
	}
}

// consume reads input to its end, and returns how many events it gave.
func consume(t testing.TB, c *protocol.Conn, input []byte) (events int) {
	for len(input) > 0 {
		ev, rest, err := c.Next(input)
		if err != nil {
			t.Fatal(err)
		}
		if ev.Type != 0 {
			events++
		}
		input = rest
	}
	return events
}

// Reading allocates nothing for a record, whole or in pieces, of interest or not.
func TestDecodeAllocates0(t *testing.T) {
	pairs := strings.Repeat(nv("SCRIPT_FILENAME", "/srv/www/index"), 50)
	twenty := make([]record, 0, 20)
	for id := range uint16(20) {
		twenty = append(twenty, begin(id+1, responder, keep))
	}
	for _, tt := range []struct {
		name          string
		before, input []record
		events        int // that the input gives
	}{
		{"STDIN", sentTo(responder, "P"), []record{stdin(1, full)}, 1},
		{"STDIN of one of twenty", append(twenty, params(20, "")), []record{stdin(20, full)}, 1},
		{"DATA", sentTo(filter, "PI"), []record{data(1, full)}, 1},
		{"A10 an inactive id", nil, []record{params(1, pairs), stdin(1, full), stdin(1, ""), data(1, "x"), abort(1)}, 0},
		{"A14 an unknown type", nil, []record{{200, 1, full}}, 0},
		{"A27 an answer to nothing", nil, []record{getValuesResult(pairs), unknownType(9)}, 0},
		{"A23 GET_VALUES", nil, []record{getValues(nv("FCGI_MPXS_CONNS", "") + pairs), getValues("")}, 0},
		{"A26 an unknown management type", nil, []record{{200, 0, full}}, 0},
		{"A35 a request too many", twenty, []record{begin(21, responder, keep), params(21, pairs)}, 0},
		{"A35 an unknown role", nil, []record{begin(21, 99, keep), params(21, pairs)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			config := *threeValues
			config.MaxRequests = 20
			c := protocol.NewConn(protocol.Application, &config)
			new(transcript).feed(t, c, wire(tt.before...))
			replies := make([]byte, 0, 4096)
			input := wire(tt.input...)
			allocates0(t, func() {
				if got := consume(t, c, input); got != tt.events {
					t.Fatalf("%d events", got)
				}
				replies = c.TakeReplies(replies[:0])
			})
			allocates0(t, func() {
				for i := range min(len(input), 2000) {
					consume(t, c, input[i:i+1])
				}
				consume(t, c, input[min(len(input), 2000):])
				replies = c.TakeReplies(replies[:0])
			})
		})
	}
}

func TestReadResponseAllocates0(t *testing.T) {
	c := protocol.NewConn(protocol.WebServer, nil)
	if _, err := c.Begin(nil, 1, keepResponder); err != nil {
		t.Fatal(err)
	}
	input := wire(
		stdout(1, full), stderr(1, "x"), stdout(2, full), record{200, 1, full}, getValuesResult(nv("FCGI_MPXS_CONNS", "1")), unknownType(9),
	)
	allocates0(t, func() {
		if got := consume(t, c, input); got != 4 {
			t.Fatalf("%d events", got)
		}
	})
}

// Cutting allocates nothing for a pair, out of bytes or a string.
func TestPairsAllocate0(t *testing.T) {
	block := strings.Repeat(nv("SCRIPT_FILENAME", "/srv/www/index"), 50) + nv("n", strings.Repeat("v", 1000))
	allocates0(t, func() { countPairs(t, block) })
	inBytes := []byte(block)
	allocates0(t, func() { countPairs(t, inBytes) })

	dst := make([]byte, 0, len(block))
	allocates0(t, func() {
		for rest := block; rest != ""; {
			var name, value string
			name, value, rest, _ = protocol.CutPair(rest)
			dst = protocol.AppendPair(dst, name, value)
		}
		if string(dst) != block {
			t.Fatal("the block did not come back")
		}
		dst = dst[:0]
	})
}

func countPairs[T []byte | string](t testing.TB, block T) (n int) {
	for len(block) > 0 {
		_, _, rest, err := protocol.CutPair(block)
		if err != nil {
			t.Fatal(err)
		}
		block, n = rest, n+1
	}
	return n
}

// Sending allocates nothing where the slice is big enough.
func TestEncodeAllocates0(t *testing.T) {
	c := protocol.NewConn(protocol.Application, nil)
	new(transcript).feed(t, c, wire(sentTo(responder, "PI")...))
	out := make([]byte, 0, 1<<20)
	body := []byte(full)
	allocates0(t, func() {
		out = out[:0]
		for range 5 {
			var err error
			if out, err = c.Send(out, protocol.TypeStdout, 1, body); err != nil {
				t.Fatal(err)
			}
			if out, err = c.Send(out, protocol.TypeStderr, 1, body[:10]); err != nil {
				t.Fatal(err)
			}
		}
		at := len(out)
		out = protocol.AppendRecord(out, protocol.TypeStdout, 1, body[:10])
		out, _ = protocol.ExtendRecord(out, at, body[:10])
	})
}

// A request from its beginning to its end allocates nothing, at either end, once the connection has had one. Nor does
// the next connection that the same Conn follows.
func TestRequestAllocates0(t *testing.T) {
	webServer := protocol.NewConn(protocol.WebServer, nil)
	application := protocol.NewConn(protocol.Application, threeValues)
	request, response := make([]byte, 0, 4096), make([]byte, 0, 4096)
	pairs := []byte(nv("FCGI_ROLE", "RESPONDER"))
	do := func(id uint16) {
		must := func(out []byte, err error) []byte {
			if err != nil {
				t.Fatal(err)
			}
			return out
		}
		request = must(webServer.Begin(request[:0], id, keepResponder))
		request = must(webServer.Send(request, protocol.TypeParams, id, pairs))
		request = must(webServer.SendEnd(request, protocol.TypeParams, id))
		request = must(webServer.SendEnd(request, protocol.TypeStdin, id))
		if got := consume(t, application, request); got != 4 {
			t.Fatalf("%d events at the application", got)
		}
		response = must(application.Send(response[:0], protocol.TypeStdout, id, pairs))
		response = must(application.EndRequest(response, id, protocol.EndRequest{}))
		if got := consume(t, webServer, response); got != 3 {
			t.Fatalf("%d events at the web server", got)
		}
	}
	t.Run("on one connection", func(t *testing.T) {
		allocates0(t, func() { do(1) })
	})
	t.Run("on a connection each", func(t *testing.T) {
		config := new(protocol.Config)
		allocates0(t, func() {
			webServer.Reset(protocol.WebServer, config)
			application.Reset(protocol.Application, threeValues)
			do(1)
		})
	})
}
