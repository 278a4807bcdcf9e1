package fastcgi_test

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// blockOf is a parameter that takes n bytes, encoded.
func blockOf(n int) []byte {
	for size := n; size >= 0; size-- {
		if protocol.PairLen("A", strings.Repeat("x", size)) == n {
			return protocol.AppendPair(nil, "A", strings.Repeat("x", size))
		}
	}
	panic(fmt.Sprint("no pair has ", n, " bytes"))
}

// withBlock is a request whose parameters are encoded already.
func withBlock(id uint16, block []byte) []byte {
	return slices.Concat(begin(id, fastcgi.RoleResponder, true),
		protocol.AppendStream(nil, protocol.TypeParams, id, block), paramsEnd(id), stdinEnd(id))
}

// MaxParams, MaxPairs: one below, at, and one above, by default, as set, and without a limit. What is beyond is answered
// 431, its handler never runs, and the connection goes on.
func TestParamsLimits(t *testing.T) {
	pairs := func(n int) []byte { return []byte(strings.Repeat("\x01\x01AB", n)) }
	for _, test := range []struct {
		name  string
		srv   *fastcgi.Server
		block []byte
		code  int
	}{
		{"bytes, one below", &fastcgi.Server{}, blockOf(64<<10 - 1), 200},
		{"bytes, at", &fastcgi.Server{}, blockOf(64 << 10), 200},
		{"bytes, one above", &fastcgi.Server{}, blockOf(64<<10 + 1), 431},
		{"bytes, set, one below", &fastcgi.Server{MaxParams: 1000}, blockOf(999), 200},
		{"bytes, set, at", &fastcgi.Server{MaxParams: 1000}, blockOf(1000), 200},
		{"bytes, set, one above", &fastcgi.Server{MaxParams: 1000}, blockOf(1001), 431},
		{"bytes, no limit", &fastcgi.Server{MaxParams: -1}, blockOf(1 << 20), 200},
		{"pairs, one below", &fastcgi.Server{}, pairs(999), 200},
		{"pairs, at", &fastcgi.Server{}, pairs(1000), 200},
		{"pairs, one above", &fastcgi.Server{}, pairs(1001), 431},
		{"pairs, set, one below", &fastcgi.Server{MaxPairs: 3}, pairs(2), 200},
		{"pairs, set, at", &fastcgi.Server{MaxPairs: 3}, pairs(3), 200},
		{"pairs, set, one above", &fastcgi.Server{MaxPairs: 3}, pairs(4), 431},
		{"pairs, no limit", &fastcgi.Server{MaxPairs: -1}, pairs(5000), 200},
		{"A21 a length of 2 GiB", &fastcgi.Server{}, []byte("\xff\xff\xff\xff\xff\xff\xff\xffA"), 431},
		{"A22 NUL", &fastcgi.Server{}, block("A", "a\x00b"), 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.srv.Handler = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				n := 0
				for name, value := range r.Params.All() {
					n += protocol.PairLen(name, value)
				}
				fmt.Fprintf(w, "Status: 200\r\n\r\n%d", n)
			})
			a := inBubble.serve(t, test.srv)
			w := a.dial(t)
			request := withBlock(1, test.block)
			w.expects(request)
			go w.Write(request)
			got := w.answer(1)
			if test.code != 200 {
				got.expectStatus(t, test.code)
				a.log.expect(t, "bad input", "PARAMS for request 1")
			} else if got.body() != strconv.Itoa(len(test.block)) {
				t.Errorf("the answer is %q", got.stdout.String())
			}
			if next := w.ask(2).body(); next != "0" {
				t.Errorf("the next answer is %q", next)
			}
		})
	}
}

// MemoryLimit, F11: parameters take as much as there is, over all connections; requests beyond are refused, and when
// others have ended there is room again.
func TestF11MemoryLimit(t *testing.T) {
	for _, off := range []int{-1, 0, 1} {
		t.Run(strconv.Itoa(off), func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				const limit = 3000
				requests := make(chan *held, 4)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests), MemoryLimit: limit})
				first, w := a.dial(t), a.dial(t)
				first.send(withBlock(1, blockOf(2000)))
				holder := receive(t, requests)
				w.send(withBlock(1, blockOf(1000+off)))
				if off > 0 {
					w.answer(1).expectRefused(t, protocol.StatusOverloaded)
					a.log.expect(t, "memory")
					if s := a.Stats(); s.Overloaded != 1 || s.BufferedBytes != 2000 {
						t.Errorf("the counters are %+v", s)
					}
				} else {
					h := receive(t, requests)
					if n := a.Stats().BufferedBytes; n != int64(3000+off) {
						t.Errorf("%d bytes are in memory", n)
					}
					h.finish()
					w.answer(1).expectUnanswered(t)
				}
				holder.finish()
				first.answer(1).expectUnanswered(t)
				w.send(withBlock(1, blockOf(3000)))
				receive(t, requests).finish()
				w.answer(1).expectUnanswered(t)
			})
		})
	}
}

// MemoryLimit: input for which there is no memory goes to disk.
func TestF11InputWithoutMemory(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), MemoryLimit: 100, SpoolDir: t.TempDir()})
		w := a.dial(t)
		w.send(start(1, true))
		h := receive(t, requests)
		w.send(stdin(1, strings.Repeat("a", 100)))
		w.send(stdin(1, "b"), stdin(1, "c"), stdinEnd(1))
		w.manage(question())
		eventually(t, "what there is no memory for is on disk", func() bool {
			s := a.Stats()
			return s.BufferedBytes == 100 && s.SpooledBytes == 2
		})
		if body, err := io.ReadAll(h.r); string(body) != strings.Repeat("a", 100)+"bc" || err != nil {
			t.Errorf("the body is %q, %v", body, err)
		}
		h.finish()
		w.answer(1)
	})
}

// F6: of all ids there are, as many requests are taken as the limit says, the others are refused, and both are told.
func TestF6AllIDs(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: hello})
		w := a.dial(t)
		var all []byte
		for id := range uint16(65535) {
			all = append(all, begin(id+1, fastcgi.RoleResponder, true)...)
		}
		w.expects(all)
		go w.Write(all)
		for id := uint16(101); id != 0; id++ {
			w.answer(id).expectRefused(t, protocol.StatusOverloaded)
		}
		for id := range uint16(100) {
			w.send(paramsEnd(id+1), stdinEnd(id+1))
			w.answer(id+1).expect(t, "hello")
		}
		if s := a.Stats(); s.Requests != 100 || s.BufferedBytes != 0 {
			t.Errorf("the counters are %+v", s)
		}
	})
}

// F6: where the limit is lifted all ids there are may be active at once.
func TestF6NoLimit(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		const n = 2000
		exchanges := make(chan fastcgi.Exchange, n)
		srv := async(exchanges)
		srv.MaxRequestsPerConn = -1
		w := p.serve(t, srv).dial(t)
		for id := range uint16(n) {
			w.send(get(65535-id, true))
		}
		for range n {
			ex := receive(t, exchanges)
			io.WriteString(ex, strconv.Itoa(int(ex.ID())))
			ex.Finish(0)
		}
		for id := range uint16(n) {
			w.answer(65535-id).expect(t, strconv.Itoa(int(65535-id)))
		}
	})
}
