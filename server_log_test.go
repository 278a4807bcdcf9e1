package fastcgi_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// W13: a web server, or a client behind it, can have a line of each kind logged for a connection, and then a count: the
// log does not grow with what it sends.
func TestW13LogGrowsWithConnections(t *testing.T) {
	const times = 200
	for name, test := range map[string]struct {
		srv     *fastcgi.Server
		request func(id uint16) []byte
		line    string
	}{
		"NUL in a name": {
			&fastcgi.Server{Handler: hello},
			func(id uint16) []byte { return start(id, true, "A\x00B", "1") }, "bad input",
		},
		"too many parameters": {
			&fastcgi.Server{Handler: hello, MaxPairs: 1},
			func(id uint16) []byte { return start(id, true, "A", "1", "B", "2") }, "bad input",
		},
		"another role": {
			&fastcgi.Server{Handler: hello},
			func(id uint16) []byte { return begin(id, 99, true) }, "request refused",
		},
		"no memory": {
			&fastcgi.Server{Handler: hello, MemoryLimit: 1},
			func(id uint16) []byte { return start(id, true, "A", "1") }, "request refused",
		},
		"no HTTP": {
			&fastcgi.Server{Handler: fastcgi.HTTP(nil)},
			func(id uint16) []byte { return append(start(id, true, "REQUEST_METHOD", "G\x1bT"), stdinEnd(id)...) }, "not an HTTP request",
		},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{
					Handler: test.srv.Handler, MaxPairs: test.srv.MaxPairs, MemoryLimit: test.srv.MemoryLimit,
				})
				w := a.dial(t)
				for range times {
					w.send(test.request(1))
					w.answer(1)
				}
				w.Close()
				eventually(t, "the connection is closed", func() bool { return a.Stats().OpenConns == 0 })
				a.log.expect(t, "more of the same", "lines=199")
				if n := strings.Count(a.log.String(), test.line); n != 1 {
					t.Errorf("%d lines about %s", n, test.line)
				}
				again := a.dial(t)
				again.send(test.request(1))
				again.answer(1)
				eventually(t, "another connection has its line", func() bool { return strings.Count(a.log.String(), test.line) == 2 })
			})
		})
	}
}

// W13: what was complained of is in the log with the web server's address, and escaped.
func TestW13LinesAreEscaped(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(nil)})
		a.dial(t).send(start(1, true, "REQUEST_METHOD", "G\n\x1b[31mforged level=ERROR"), stdinEnd(1))
		a.log.expect(t, "not an HTTP request", "remote=")
		for line := range strings.Lines(a.log.String()) {
			if strings.HasPrefix(line, "\x1b") || strings.Contains(line, "\x1b[31m") || !strings.HasPrefix(line, "time=") {
				t.Errorf("a line is %q", line)
			}
		}
	})
}
