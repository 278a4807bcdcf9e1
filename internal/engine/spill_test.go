package engine

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/goroutine"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// drivers are those that there are. Where there is an event loop, it is a single one, so that connections share it.
func drivers() map[string]driver.Driver {
	m := map[string]driver.Driver{"goroutine": &goroutine.Driver{}}
	addLoop(m)
	return m
}

// onDrivers runs a test with an engine on each driver. Handlers that get a parameter IDLE wait for the test; others
// answer at once.
func onDrivers(t *testing.T, prepare func(e *Engine), test func(t *testing.T, e *Engine, idlers chan Ref, dial func() *peer)) {
	for name, d := range drivers() {
		t.Run(name, func(t *testing.T) {
			idlers := make(chan Ref, 10)
			config := Config{
				Log: slog.New(slog.DiscardHandler), BaseContext: t.Context(), SpoolDir: t.TempDir(),
				ErrorPage:   func(int) []byte { return []byte("Status: 500\r\n\r\n") },
				MemoryLimit: 1 << 30, SpoolLimit: 1 << 30, StdinBuffer: 1 << 10,
				Protocol: protocol.Config{Roles: []protocol.Role{protocol.RoleResponder}},
			}
			config.Handlers[protocol.RoleResponder].Async = func(r Ref) {
				if r.ParamIs("IDLE", "1") {
					idlers <- r
					return
				}
				r.TryWrite(protocol.TypeStdout, []byte("hello"))
				r.Finish(0)
			}
			e := New(config)
			prepare(e)
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			var serving sync.WaitGroup
			serving.Go(func() { d.Serve(l, e) })
			t.Cleanup(func() {
				d.Stop(l)
				l.Close()
				serving.Wait()
				e.Kill(ErrServerClosed)
				<-e.EndDrain()
				e.spilling.Wait()
			})
			test(t, e, idlers, func() *peer {
				nc, err := net.Dial("tcp", l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { nc.Close() })
				nc.SetDeadline(time.Now().Add(time.Minute))
				return &peer{t: t, conn: nc, pc: protocol.NewConn(protocol.WebServer, nil)}
			})
		})
	}
}

// A peer is the web server's end of a connection.
type peer struct {
	t    *testing.T
	conn net.Conn
	pc   *protocol.Conn
	rest []byte
}

func (p *peer) begin(id uint16, pairs ...string) {
	b, err := p.pc.Begin(nil, id, protocol.BeginRequest{Role: protocol.RoleResponder, Flags: protocol.FlagKeepConn})
	if err != nil {
		p.t.Fatal(err)
	}
	var block []byte
	for i := 0; i < len(pairs); i += 2 {
		block = protocol.AppendPair(block, pairs[i], pairs[i+1])
	}
	b = protocol.AppendStream(b, protocol.TypeParams, id, block)
	p.write(protocol.AppendStreamEnd(b, protocol.TypeParams, id))
}

func (p *peer) stdin(id uint16, s string) {
	b := protocol.AppendStream(nil, protocol.TypeStdin, id, []byte(s))
	if s == "" {
		b = protocol.AppendStreamEnd(nil, protocol.TypeStdin, id)
	}
	p.write(b)
}

func (p *peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

// ended reads until a request has ended, and returns its STDOUT.
func (p *peer) ended(id uint16) string {
	p.t.Helper()
	var out strings.Builder
	for {
		for len(p.rest) > 0 {
			ev, rest, err := p.pc.Next(p.rest)
			p.rest = rest
			switch {
			case err != nil:
				p.t.Fatal(err)
			case ev.Type == protocol.TypeStdout && ev.RequestID == id:
				out.Write(ev.Data)
			case ev.Type == protocol.TypeEndRequest && ev.RequestID == id:
				return out.String()
			}
		}
		buf := make([]byte, 4096)
		n, err := p.conn.Read(buf)
		if err != nil {
			p.t.Fatalf("waiting for the end of request %d: %v", id, err)
		}
		p.rest = buf[:n]
	}
}

// ask makes a whole request.
func (p *peer) ask(id uint16) {
	p.t.Helper()
	p.begin(id)
	p.stdin(id, "")
	if got := p.ended(id); got != "hello" {
		p.t.Fatalf("request %d was answered %q", id, got)
	}
}

// A disk does nothing while it is stuck.
type disk struct {
	mu      sync.Mutex
	letGo   chan struct{} // closed while it works
	entered chan struct{} // told that something waits for it
}

func newDisk() *disk { return &disk{letGo: make(chan struct{}), entered: make(chan struct{}, 1)} }

func (d *disk) wait() {
	d.mu.Lock()
	letGo := d.letGo
	d.mu.Unlock()
	select {
	case <-letGo:
		return
	default:
	}
	select {
	case d.entered <- struct{}{}:
	default:
	}
	<-letGo
}

// work lets it go, and stick has it get stuck again.
func (d *disk) work() { close(d.letGo) }

func (d *disk) stick() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.letGo = make(chan struct{})
}

// A stuckFile is a spool on such a disk.
type stuckFile struct {
	spoolFile
	disk *disk
}

func (f stuckFile) Write(p []byte) (int, error)    { f.disk.wait(); return f.spoolFile.Write(p) }
func (f stuckFile) ReadFull(p []byte) (int, error) { f.disk.wait(); return f.spoolFile.ReadFull(p) }
func (f stuckFile) Close() error                   { f.disk.wait(); return f.spoolFile.Close() }

// W22: while a disk does nothing at all, with the input of two requests on its way to it, other connections of the same
// loop are served, and so are other requests of the same connection. This is so for writing, reading back and closing.
func TestW22StuckDiskDelaysNobody(t *testing.T) {
	var disk *disk
	stuck := func(e *Engine) {
		disk = newDisk()
		e.createSpool = func() (spoolFile, error) {
			f, err := spool.Create(e.SpoolDir, e.spool)
			return stuckFile{f, disk}, err
		}
	}
	onDrivers(t, stuck, func(t *testing.T, e *Engine, idlers chan Ref, dial func() *peer) {
		uploads, other := dial(), dial()
		uploads.begin(1, "IDLE", "1")
		uploads.begin(2, "IDLE", "1")
		one, two := <-idlers, <-idlers
		if one.ID() == 2 {
			one, two = two, one
		}
		const piece = "0123456789"
		body := strings.Repeat(piece, 1000)
		for range 10 {
			uploads.stdin(1, body[:1000])
			uploads.stdin(2, body[:1000])
		}
		others := func() {
			for range 100 {
				other.ask(1)
			}
			uploads.ask(3)
		}
		<-disk.entered
		others() // while it writes
		disk.work()
		for e.Stats().SpooledBytes < 2*7000 {
			time.Sleep(time.Millisecond)
		}
		disk.stick()
		got := make(chan string, 1)
		var read strings.Builder
		one.OnBody(func(chunk []byte, last bool) {
			if read.Write(chunk); last {
				got <- read.String()
			}
		})
		<-disk.entered
		others() // while it reads
		two.Finish(0)
		<-disk.entered
		others() // while it closes a file
		disk.work()
		uploads.stdin(1, "")
		if s := <-got; s != body {
			t.Errorf("of %d bytes the handler read %d", len(body), len(s))
		}
		one.Finish(0)
		uploads.ended(1)
	})
}

// What goes through memory, disk and memory again comes out in its order, whoever is faster.
func TestSpillKeepsOrder(t *testing.T) {
	onDrivers(t, func(*Engine) {}, func(t *testing.T, e *Engine, idlers chan Ref, dial func() *peer) {
		p := dial()
		p.begin(1, "IDLE", "1")
		p.begin(2, "IDLE", "1")
		one, two := <-idlers, <-idlers
		if one.ID() == 2 {
			one, two = two, one
		}
		two.Finish(0)
		var want strings.Builder
		got := make(chan string, 1)
		var read strings.Builder
		one.OnBody(func(chunk []byte, last bool) {
			if read.Write(chunk); last {
				got <- read.String()
			}
		})
		for i := range 400 {
			if i%50 == 0 {
				one.PauseBody()
			}
			if i%50 == 40 {
				one.ResumeBody()
			}
			piece := strings.Repeat(string(rune('a'+i%26)), 1+i*37%3000)
			want.WriteString(piece)
			p.stdin(1, piece)
		}
		p.stdin(1, "")
		one.ResumeBody()
		if s := <-got; s != want.String() {
			t.Errorf("of %d bytes %d were read, or in another order", want.Len(), len(s))
		}
		if e.Stats().BufferedBytes > 1<<20 {
			t.Errorf("%d bytes are in memory", e.Stats().BufferedBytes)
		}
		one.Finish(0)
	})
}

// W5: a request that is alone does not end because there is no disk: its input waits, as it does while a spool is full.
// Others on its connection would have to wait as well, so where there are some it does end.
func TestW5NoDisk(t *testing.T) {
	for name, broken := range map[string]func(e *Engine){
		"no disk": func(e *Engine) { e.createSpool = func() (spoolFile, error) { return nil, errors.New("read-only") } },
		"full":    func(e *Engine) { e.spool = spool.NewBudget(0) },
		"cannot write": func(e *Engine) {
			e.createSpool = func() (spoolFile, error) { return brokenFile{}, nil }
		},
	} {
		t.Run(name, func(t *testing.T) {
			onDrivers(t, broken, func(t *testing.T, e *Engine, idlers chan Ref, dial func() *peer) {
				p := dial()
				p.begin(1, "IDLE", "1")
				r := <-idlers
				body := strings.Repeat("0123456789", 30_000)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					p.stdin(1, body)
					p.stdin(1, "")
				}()
				// Until the connection may be read beyond the buffer, and was not read for long.
				time.Sleep(3 * spillDelay)
				got := make(chan error, 1)
				r.ReadAll(1<<20, func(b []byte, err error) {
					if err == nil && string(b) != body {
						err = errors.New("it is another body")
					}
					got <- err
				})
				if err := <-got; err != nil {
					t.Errorf("the body was read with %v", err)
				}
				<-sent
				r.Finish(0)
				p.ended(1)
				p.ask(1)
				if e.Stats().Overflowed != 0 {
					t.Error("it counts as overflowed")
				}
			})
		})
	}
}

// A brokenFile takes nothing.
type brokenFile struct{}

func (brokenFile) Write([]byte) (int, error)    { return 0, io.ErrShortWrite }
func (brokenFile) ReadFull([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
func (brokenFile) Close() error                 { return nil }
