package fastcgi_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// What speaks another protocol is hung up on at its first byte, and the log says why.
func TestOtherProtocols(t *testing.T) {
	for name, greeting := range map[string]string{
		"HTTP": "GET / HTTP/1.1\r\nHost: example.com\r\n\r\n",
		"TLS":  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
		"SSH":  "SSH-2.0-OpenSSH_9.6\r\n",
		"NUL":  "\x00\x00\x00\x00",
		"one":  "G",
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{Handler: hello})
				w := a.dial(t)
				go io.WriteString(w, greeting)
				w.expectClosed()
				a.log.expect(t, "level=WARN", "bad input from web server", "version", "remote=")
				a.dial(t).ask(1).expect(t, "hello")
			})
		})
	}
}

// Whatever bytes come, the connection ends or goes on, and the server serves others.
func TestRandomInput(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	noise := func() []byte {
		b := make([]byte, random.IntN(3000))
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	conversation := slices.Concat(question("A", protocol.VarMaxConns), post(1, true, "body", "A", "1"), start(2, true),
		get(3, true, "B", strings.Repeat("x", 200)), stdin(2, "more"), abort(2), begin(4, 3, true), paramsEnd(4), stdinEnd(4),
		data(4, "file"), dataEnd(4))
	for _, test := range []struct {
		name  string
		input func() []byte
	}{
		{"noise", noise},
		{"noise in records", func() (b []byte) {
			for range random.IntN(30) {
				b = append(b, protocol.AppendRecord(nil, protocol.RecordType(random.IntN(14)), uint16(random.IntN(4)), noise())...)
			}
			return b
		}},
		{"flipped bits", func() []byte {
			b := bytes.Clone(conversation)
			for range 1 + random.IntN(5) {
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			}
			return b
		}},
		{"cut off", func() []byte { return conversation[:random.IntN(len(conversation))] }},
		{"pieces swapped", func() []byte {
			i := random.IntN(len(conversation))
			return slices.Concat(conversation[i:], conversation[:i])
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
				srv.StdinBuffer, srv.SpoolDir = 500, t.TempDir()
				a := p.serve(t, srv)
				for range 30 {
					w := a.dial(t)
					go io.Copy(io.Discard, w.Conn)
					w.Write(test.input()) // it fails where the server has had enough
					w.Close()
				}
				a.dial(t).ask(1).expect(t, "\n")
				eventually(t, "all has ended", func() bool {
					s := a.Stats()
					return s.ActiveRequests == 0 && s.OpenConns == 1 && s.BufferedBytes == 0 && s.SpooledBytes == 0
				})
			})
		})
	}
}

// A10: what comes for requests that do not exist, or are over, or were refused, takes no memory, however much it is.
func TestA10FlatMemory(t *testing.T) {
	for _, test := range []struct {
		name  string
		first []byte
	}{
		{"inactive id", nil},
		{"unknown role", begin(7, 9, true)},
		{"answered", start(7, true)},
		{"aborted", slices.Concat(start(7, true, "WAIT", "1"), abort(7))},
	} {
		t.Run(test.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				a := p.serve(t, &fastcgi.Server{SpoolDir: t.TempDir(), Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
					if r.Params.Get("WAIT") != "" {
						io.Copy(io.Discard, r)
					}
				})})
				w := a.dial(t)
				w.send(test.first)
				if test.first != nil {
					w.answer(7)
				}
				const size = 64 << 20
				flood := bytes.Repeat(stdin(7, strings.Repeat("x", 65528)), 16)
				before := heap()
				for range size / len(flood) {
					w.send(flood)
				}
				w.manage(question())
				if s := a.Stats(); s.BufferedBytes != 0 || s.SpooledBytes != 0 {
					t.Errorf("%d bytes are in memory, %d on disk", s.BufferedBytes, s.SpooledBytes)
				}
				if grown := heap() - before; grown > 1<<20 {
					t.Errorf("the heap has grown by %d bytes", grown)
				}
			})
		})
	}
}

// heap is how many bytes are reachable.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// CVE-2022-41556: web servers that close their half at any point leave nothing behind.
func TestHalfClosesLeaveNothing(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		srv := &fastcgi.Server{}
		kinds[1].echo(srv)
		a := p.serve(t, srv)
		request := post(1, true, "a body of some length", "A", "1")
		for cut := range len(request) {
			w := a.dial(t)
			w.Write(request[:cut])
			w.Conn.(interface{ CloseWrite() error }).CloseWrite()
			io.Copy(io.Discard, w.Conn) // to the end, which comes
			w.Close()
		}
		eventually(t, "all connections are gone", func() bool { return a.Stats().OpenConns == 0 })
	})
}
