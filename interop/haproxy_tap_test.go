package interop_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A tap is between a web server and an application, and counts what the web server sends.
type tap struct {
	mu      sync.Mutex
	conns   int
	records map[protocol.RecordType]int
	active  map[net.Conn]int // requests of which there is no END_REQUEST, on each connection
	most    int              // of them on one connection at any time
}

// newTap listens on one address, unix:/path or host:port, and passes everything on to another, host:port, until the end
// of the test.
func newTap(t *testing.T, addr, app string) *tap {
	t.Helper()
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{records: make(map[protocol.RecordType]int), active: make(map[net.Conn]int)}
	var passing sync.WaitGroup
	passing.Go(func() {
		for {
			web, err := l.Accept()
			if err != nil {
				return
			}
			behind, err := net.Dial("tcp", app)
			if err != nil {
				web.Close()
				continue
			}
			passing.Go(func() { tp.pass(web, behind, web) })
			passing.Go(func() { tp.pass(behind, web, web) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		passing.Wait()
	})
	return tp
}

// pass passes records on from one end to the other until either is closed, and then closes both. They count for the
// connection that the web server made.
func (tp *tap) pass(from, to, web net.Conn) {
	defer from.Close()
	defer to.Close()
	in := bufio.NewReader(from)
	var header [protocol.HeaderLen]byte
	for {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			return
		}
		h := protocol.ParseHeader(header[:])
		tp.note(h.Type, web)
		rest := io.LimitReader(in, int64(h.ContentLength)+int64(h.PaddingLength))
		record, err := io.ReadAll(rest)
		if err != nil {
			return
		}
		if _, err := to.Write(append(header[:], record...)); err != nil {
			return
		}
	}
}

func (tp *tap) note(record protocol.RecordType, web net.Conn) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.records[record]++
	switch record {
	case protocol.TypeBeginRequest:
		if _, ok := tp.active[web]; !ok {
			tp.conns++
		}
		tp.active[web]++
		tp.most = max(tp.most, tp.active[web])
	case protocol.TypeEndRequest:
		tp.active[web]--
	}
}

// count returns how many records of a type there were.
func (tp *tap) count(record protocol.RecordType) int {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return tp.records[record]
}

// sharing returns how many connections there were with requests, and how many requests one of them had at once.
func (tp *tap) sharing() (conns, most int) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return tp.conns, tp.most
}
