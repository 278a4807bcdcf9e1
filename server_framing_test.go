package fastcgi_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A wire is what a web server sends in one conversation, record by record.
type wire [][]byte

// rewrite changes each record's header and padding.
func (w wire) rewrite(change func(header []byte) (padding []byte)) wire {
	var out wire
	for _, records := range w {
		for len(records) > 0 {
			h := protocol.ParseHeader(records)
			n := protocol.HeaderLen + int(h.ContentLength)
			r := slices.Clone(records[:n])
			padding := change(r[:protocol.HeaderLen])
			r[6] = byte(len(padding))
			out = append(out, append(r, padding...))
			records = records[n:]
		}
	}
	return out
}

// padded gives each record n bytes of padding.
func (w wire) padded(n int, random *rand.Rand) wire {
	return w.rewrite(func([]byte) []byte {
		padding := make([]byte, n)
		for i := range padding {
			padding[i] = byte(random.Uint32())
		}
		return padding
	})
}

// A1 to A5, A7, A8: however the same requests are framed, the answers are the same.
func TestA1A2A3A4A7A8Framing(t *testing.T) {
	seed := uint64(rand.Uint32())
	t.Logf("padding of seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	big := strings.Repeat("x", 65535)
	records := wire{
		get(1, true, "A", "1", "EMPTY", ""),
		begin(255, fastcgi.RoleResponder, true),
		protocol.AppendRecord(nil, protocol.TypeParams, 255, []byte("\x01\x03Bt")), // A7: two records, one pair
		protocol.AppendRecord(nil, protocol.TypeParams, 255, []byte("wo")),
		paramsEnd(255),
		stdin(255, "b"), stdin(255, "o"), stdin(255, "dy"), stdinEnd(255),
		start(256, true, "C", "3"),
		protocol.AppendRecord(nil, protocol.TypeStdin, 256, []byte(big)), // A3: the largest content
		stdinEnd(256),
		post(65535, true, "last"),
	}
	want := map[uint16]string{
		1: "A=1\nEMPTY=\n\n", 255: "B=two\n\nbody", 256: "C=3\n\n" + big, 65535: "CONTENT_LENGTH=4\n\nlast",
	}
	whole := func(w wire) wire { return wire{bytes.Join(w, nil)} }
	each := func(w wire) wire { return w }
	bytewise := func(w wire) wire {
		return slices.Collect(slices.Chunk(bytes.Join(w, nil), 1))
	}
	for _, test := range []struct {
		name string
		wire wire
	}{
		{"record by record", each(records)},
		{"coalesced", whole(records)},
		{"byte by byte", bytewise(wire{records[0], bytes.Join(records[1:9], nil), records[12]})},
		{"padding 1", whole(records.padded(1, random))},
		{"padding 7", whole(records.padded(7, random))},
		{"padding 8", each(records.padded(8, random))},
		{"padding 254", whole(records.padded(254, random))},
		{"padding 255", each(records.padded(255, random))},
		{"reserved bytes", whole(records.rewrite(func(header []byte) []byte { header[7] = 0xff; return nil }))},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
				w := p.serve(t, srv).dial(t)
				w.expects(bytes.Join(test.wire, nil))
				for _, b := range test.wire {
					if _, err := w.Write(b); err != nil {
						t.Fatal(err)
					}
				}
				for id, text := range want {
					if test.name == "byte by byte" && id == 256 {
						continue
					}
					w.answer(id).expect(t, text)
				}
			})
		})
	}
}

// A5: another version closes the connection at once, whatever comes with it, and no handler runs.
func TestA5Version(t *testing.T) {
	for _, version := range []byte{0, 2, 255} {
		everywhere(t, func(t *testing.T, p place) {
			a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) {
				t.Error("a handler ran")
			})})
			w := a.dial(t)
			request := get(1, true)
			request[0] = version
			go w.Write(request)
			w.expectClosed()
			a.log.expect(t, "version", "§3.3")
			if n := a.Stats().ProtocolErrors; n != 1 {
				t.Errorf("%d protocol errors were counted", n)
			}
		})
	}
}

// A10, A14 to A16, A27: what does not fit is skipped, and changes no answer.
func TestA10A14A15A16A27Ignored(t *testing.T) {
	record := func(t protocol.RecordType, id uint16, content string) []byte {
		return protocol.AppendRecord(nil, t, id, []byte(content))
	}
	for _, test := range []struct {
		name    string
		nothing []byte // sent before, between and after the records of a request
	}{
		{"A10 PARAMS of an inactive id", params(9, "X", "1")},
		{"A10 end of PARAMS of an inactive id", paramsEnd(9)},
		{"A10 STDIN of an inactive id", stdin(9, "body")},
		{"A10 DATA of an inactive id", data(9, "body")},
		{"A10 ABORT of an inactive id", abort(9)},
		{"A14 unknown type", record(12, 1, "what")},
		{"A14 unknown type of an inactive id", record(200, 9, "")},
		{"A15 STDOUT", record(protocol.TypeStdout, 1, "text")},
		{"A15 STDERR", record(protocol.TypeStderr, 1, "")},
		{"A15 END_REQUEST", record(protocol.TypeEndRequest, 1, "\x00\x00\x00\x00\x00\x00\x00\x00")},
		{"A27 GET_VALUES_RESULT", record(protocol.TypeGetValuesResult, 0, "\x01\x01ab")},
		{"A27 UNKNOWN_TYPE", record(protocol.TypeUnknownType, 0, "\x0c\x00\x00\x00\x00\x00\x00\x00")},
		{"A27 PARAMS with id 0", params(0, "X", "1")},
		{"A27 STDIN with id 0", stdin(0, "body")},
		{"A27 DATA with id 0", data(0, "body")},
		{"A27 ABORT with id 0", abort(0)},
		{"DATA of a Responder", data(1, "data")},
	} {
		t.Run(test.name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
				a := p.serve(t, srv)
				w := a.dial(t)
				w.send(test.nothing)
				w.send(begin(1, fastcgi.RoleResponder, true), test.nothing, params(1, "A", "1"), test.nothing, paramsEnd(1))
				w.send(test.nothing, stdin(1, "body"), test.nothing, stdinEnd(1))
				w.answer(1).expect(t, "A=1\n\nbody")
				w.send(test.nothing)
				w.ask(2, "B", "2").expect(t, "B=2\n\n")
				if len(w.management) > 0 {
					t.Errorf("it was answered %q", w.management)
				}
			})
		})
	}
}

// A16: a stream that has ended stays ended, and STDIN does not begin before the parameters are complete.
func TestA16AfterTheEnd(t *testing.T) {
	eachKind(t, func(t *testing.T, p place, srv *fastcgi.Server) {
		w := p.serve(t, srv).dial(t)
		w.send(begin(1, fastcgi.RoleResponder, true), stdin(1, "too early"), stdinEnd(1))
		w.send(params(1, "A", "1"), paramsEnd(1), params(1, "B", "2"), paramsEnd(1))
		w.send(stdin(1, "body"), stdinEnd(1), stdin(1, "too late"))
		w.answer(1).expect(t, "A=1\n\nbody")
	})
}

// A12, A13, A20, A27: after these the bytes that follow mean nothing, so the connection is closed and its requests end.
func TestA12A13A20A27Close(t *testing.T) {
	for _, test := range []struct {
		name string
		bad  []byte
		said string
	}{
		{"A12 BEGIN of an active id", begin(1, fastcgi.RoleResponder, true), "§5.1"},
		{"A13 BEGIN with 7 bytes", protocol.AppendRecord(nil, protocol.TypeBeginRequest, 2, make([]byte, 7)), "§5.1"},
		{"A13 BEGIN with 9 bytes", protocol.AppendRecord(nil, protocol.TypeBeginRequest, 2, make([]byte, 9)), "§5.1"},
		{"A20 half a pair", slices.Concat(begin(2, 1, true), protocol.AppendRecord(nil, protocol.TypeParams, 2, []byte("\x05\x01A")), paramsEnd(2)), "§3.4"},
		{"A27 BEGIN with id 0", begin(0, fastcgi.RoleResponder, true), "§3.3"},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 1)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
				w := a.dial(t)
				w.send(start(1, true))
				h := receive(t, requests)
				go w.Write(test.bad)
				w.expectClosed()
				<-h.r.Context().Done()
				if !h.r.Aborted() {
					t.Error("the request is not aborted")
				}
				h.finish()
				a.log.expect(t, test.said)
			})
		})
	}
}

// A6: where the end of the input cuts a record off, what is active is cancelled and the connection freed.
func TestA6EndInsideARecord(t *testing.T) {
	record := slices.Concat(stdin(1, "four"), make([]byte, 4))
	record[6] = 4
	for _, part := range []struct {
		name string
		cut  int
	}{{"header", 3}, {"content", 10}, {"padding", 14}} {
		t.Run(part.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				requests := make(chan *held, 1)
				a := p.serve(t, &fastcgi.Server{Handler: holding(requests)})
				w := a.dial(t)
				w.send(start(1, true))
				h := receive(t, requests)
				if _, err := w.Write(record[:part.cut]); err != nil {
					t.Fatal(err)
				}
				w.Close()
				<-h.r.Context().Done()
				h.finish()
				eventually(t, "the connection is gone", func() bool { return a.Stats().OpenConns == 0 })
			})
		})
	}
}

// A2: padding that comes late, after the answer, does not find the connection closed: the answer could be lost over it.
func TestA2LatePadding(t *testing.T) {
	onSockets(t, func(t *testing.T, p place) {
		a := p.serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			io.WriteString(w, "answer")
		})})
		w := a.dial(t)
		w.send(start(1, false), protocol.AppendHeader(nil, protocol.Header{Type: protocol.TypeStdin, RequestID: 1, PaddingLength: 8}))
		w.answer(1).expect(t, "answer")
		w.expectEOF()
		if n := a.Stats().OpenConns; n != 1 {
			t.Errorf("%d connections are open before the padding has come", n)
		}
		if _, err := w.Write(make([]byte, 8)); err != nil {
			t.Error(err)
		}
		w.Close()
	})
}
