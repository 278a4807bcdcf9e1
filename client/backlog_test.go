package client_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A disk makes files that can be stopped, and that can fail.
type disk struct {
	mu    sync.Mutex
	more  sync.Cond
	stop  bool
	err   error // of the Writes that follow
	files int   // open
	most  int   // bytes that were ever in a file
}

func newDisk() *disk {
	d := new(disk)
	d.more.L = &d.mu
	return d
}

func (d *disk) create() (client.SpoolFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.files++
	return &diskFile{disk: d}, nil
}

func (d *disk) halt() { d.mu.Lock(); d.stop = true; d.mu.Unlock() }

// goOn lets go of those who wait; what is written from now on fails with err, if it is not nil.
func (d *disk) goOn(err error) {
	d.mu.Lock()
	d.stop, d.err = false, err
	d.more.Broadcast()
	d.mu.Unlock()
	synctest.Wait()
}

func (d *disk) open() int {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.files
}

type diskFile struct {
	disk *disk
	b    []byte
}

func (f *diskFile) Write(p []byte) (int, error) {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.stop {
		d.more.Wait()
	}
	if d.err != nil {
		return 0, d.err
	}
	f.b = append(f.b, p...)
	d.most = max(d.most, len(f.b))
	return len(p), nil
}

func (f *diskFile) ReadFull(p []byte) (int, error) {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	for d.stop {
		d.more.Wait()
	}
	n := copy(p, f.b)
	f.b = f.b[n:]
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

func (f *diskFile) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.disk.files--
	return nil
}

// counting is n bytes of which no two pieces are alike.
func counting(n int) string {
	b := make([]byte, 0, n+32)
	for i := 0; len(b) < n; i++ {
		b = append(strconv.AppendInt(b, int64(i), 10), ' ')
	}
	return string(b[:n])
}

// A reader that does not read delays nobody: what it does not take goes to memory, then to disk, and comes back in order.
func TestUnreadResponse(t *testing.T) {
	for _, tt := range []struct {
		name string
		size int
		disk bool
	}{
		{"one byte", 1, false},
		{"memory but one", client.MaxBuffered - 1, false},
		{"memory", client.MaxBuffered, false},
		{"memory and one", client.MaxBuffered + 1, true},
		{"memory and what waits for the disk", client.MaxBuffered + client.MaxQueued, true},
		{"much", 4 << 20, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
				d := newDisk()
				s.c.SetSpool(d.create)
				text := counting(tt.size)
				unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout(text[:1])) })
				others := s.askAll("a b")
				p := s.conn(1)
				u := p.request("unread")
				p.Say(u.Stdout(text[1:]))
				p.answer("a")
				others[0].expect("a")
				if got := d.open() > 0; got != tt.disk {
					t.Errorf("on disk: %v", got)
				}
				p.Say(u.End(0, complete))
				p.answer("b")
				others[1].expect("b")
				got, err := io.ReadAll(unread)
				if string(got) != text || err != nil {
					t.Errorf("read %d bytes, %v; want %d, in order", len(got), err, len(text))
				}
				unread.Close()
				if n := d.open(); n != 0 {
					t.Errorf("%d files are left", n)
				}
			})
		})
	}
}

// What is read while more arrives, through memory, disk and back, comes in order.
func TestUnreadResponseInOrder(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		d := newDisk()
		s.c.SetSpool(d.create)
		text := counting(3 << 20)
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout(text[:1])) })
		defer unread.Close()
		other := s.ask(named("other"))
		p := s.conn(1)
		u := p.request("unread")
		said, read := 1, []byte(nil)
		for i, step := range []struct{ say, read int }{
			{200_000, 10}, {1, 70_000}, {300_000, 60_000}, {50, 370_000}, {10, 20}, {900_000, 1}, {1, 900_000}, {1 << 20, 1 << 19},
		} {
			p.Say(u.Stdout(text[said : said+step.say]))
			said += step.say
			buf := make([]byte, min(step.read, said-len(read)))
			if _, err := io.ReadFull(unread, buf); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			read = append(read, buf...)
		}
		p.Say(u.Answer(text[said:]))
		p.answer("other")
		other.expect("other")
		rest, err := io.ReadAll(unread)
		if string(read)+string(rest) != text || err != nil {
			t.Errorf("%d bytes, %v, or out of order", len(read)+len(rest), err)
		}
	})
}

// SpoolLimit is for all responses together, and only the one that exceeds it fails.
func TestSpoolLimit(t *testing.T) {
	const limit = 1 << 20
	for _, size := range []int{limit - 1, limit, limit + 1} {
		t.Run(fmt.Sprintf("limit%+d", size-limit), func(t *testing.T) {
			stageTest(t, &client.Client{SpoolLimit: limit, SpoolDir: t.TempDir()}, func(t *testing.T, s *stage) {
				first := s.open(named("first"), func() { s.conn(1).Say(s.conn(1).request("first").Stdout("1")) })
				second := s.open(named("second"), func() { s.conn(1).Say(s.conn(1).request("second").Stdout("2")) })
				other := s.ask(named("other"))
				p := s.conn(1)
				half := counting(limit / 2)
				rest := counting(size - limit/2)
				p.Say(p.request("first").Stdout(counting(client.MaxBuffered-1) + half))
				synctest.Wait()
				p.Say(p.request("second").Stdout(counting(client.MaxBuffered-1) + rest))
				synctest.Wait()
				p.Say(p.request("first").End(0, complete), p.request("second").End(0, complete))
				p.answer("other")
				other.expect("other")
				if n, err := io.Copy(io.Discard, first); n != client.MaxBuffered+int64(len(half)) || err != nil {
					t.Errorf("first: %d bytes, %v", n, err)
				}
				n, err := io.Copy(io.Discard, second)
				if size <= limit && (n != client.MaxBuffered+int64(len(rest)) || err != nil) {
					t.Errorf("second: %d bytes, %v", n, err)
				}
				if size > limit && err == nil {
					t.Errorf("second: %d bytes and no error", n)
				}
				first.Close()
				second.Close()
				if used := s.c.Spooled(); used != 0 {
					t.Errorf("%d bytes are left on disk", used)
				}
			})
		})
	}
}

// A disk that does not answer holds others up for a moment, and then costs only the request that needs it.
func TestSlowDisk(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		d := newDisk()
		d.halt()
		s.c.SetSpool(d.create)
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
		other := s.ask(named("other"))
		p := s.conn(1)
		start := time.Now()
		// The first piece that goes to disk is what did not fit of a read.
		p.Say(p.request("unread").Stdout(counting(client.MaxBuffered + 2*client.MaxQueued)))
		p.answer("other")
		other.expect("other")
		if took := time.Since(start); took != client.Patience {
			t.Errorf("the other answer took %v", took)
		}
		// What was in memory can still be read.
		buf := make([]byte, client.MaxBuffered)
		if _, err := io.ReadFull(unread, buf); err != nil {
			t.Error(err)
		}
		d.goOn(nil)
		if _, err := io.Copy(io.Discard, unread); err == nil {
			t.Error("the response that was given up is whole")
		}
		unread.Close()
		if n := d.open(); n != 0 {
			t.Errorf("%d files are left", n)
		}
	})
}

// A disk that fails costs the request that needs it, and says why.
func TestDiskFails(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		d := newDisk()
		d.goOn(errWhy)
		s.c.SetSpool(d.create)
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
		other := s.ask(named("other"))
		p := s.conn(1)
		p.Say(p.request("unread").Stdout(counting(2 * client.MaxBuffered)))
		p.answer("other")
		other.expect("other")
		if _, err := io.Copy(io.Discard, unread); !errors.Is(err, errWhy) {
			t.Errorf("error %v", err)
		}
		unread.Close()
	})
}

// A response that is alone on its connection holds the application up instead of filling the disk; it does not hold up those
// that come after it, however long it has been full.
func TestHeldUpWhileAlone(t *testing.T) {
	stageTest(t, &client.Client{SpoolLimit: 1 << 20, SpoolDir: t.TempDir()}, func(t *testing.T, s *stage) {
		text := counting(4 << 20)
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout(text[:1])) })
		defer unread.Close()
		p := s.conn(1)
		u := p.request("unread")
		said := make(chan struct{})
		go func() {
			defer close(said)
			p.Say(u.Stdout(text[1:500_000]))
		}()
		synctest.Wait()
		if n := s.c.Spooled(); n != 0 {
			t.Errorf("%d bytes on disk, though nobody else is there", n)
		}
		time.Sleep(time.Hour)
		for _, name := range []string{"a", "b"} { // each is beside it, and then it is alone again
			other := s.ask(named(name))
			<-said
			if n := s.c.Spooled(); n == 0 {
				t.Error("nothing on disk beside others")
			}
			p.answer(name)
			other.expect(name)
			said = make(chan struct{})
			close(said)
		}
		go p.Say(u.Answer(text[500_000:]))
		synctest.Wait()
		if n := s.c.Spooled(); n > 600_000 {
			t.Errorf("%d bytes on disk of one that is alone again", n)
		}
		got, err := io.ReadAll(unread)
		if string(got) != text || err != nil {
			t.Errorf("read %d bytes, %v", len(got), err)
		}
	})
}

// One that is alone may wait for its reader; beside others its patience begins when they come.
func TestHeldUpByStderr(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		req := named("unread")
		req.Stderr = io.Discard
		unread := s.open(req, func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
		defer unread.Close()
		p := s.conn(1)
		go p.Say(p.request("unread").Stderr(strings.Repeat("e", client.MaxErrors+1)))
		time.Sleep(time.Hour)
		other := s.ask(named("other"))
		p.request("other")
		time.Sleep(client.Patience)
		p.answer("other")
		other.expect("other")
	})
}

// The end of a request that was aborted is heard although it comes behind a response that nobody reads.
func TestAbortedBehindUnread(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
		defer unread.Close()
		ctx, cancel := context.WithCancel(t.Context())
		other := s.askIn(ctx, named("other"))
		cancel()
		p := s.conn(1)
		u, o := p.request("unread"), p.request("other")
		go p.Say(u.Stdout(counting(2*client.MaxBuffered)), o.End(0, complete))
		time.Sleep(time.Hour)
		if !other.isDone() {
			t.Error("the request is not over")
		}
		next := s.ask(named("next"))
		if n := s.conns(); n != 1 {
			t.Fatalf("%d connections: the first was given up", n)
		}
		p.answer("next")
		next.expect("next")
	})
}

// STDERR of a response that nobody reads is kept up to a limit, and then costs the request.
func TestUnreadStderr(t *testing.T) {
	for _, tt := range []struct {
		size   int
		failed bool
	}{{client.MaxErrors - 1, false}, {client.MaxErrors, false}, {client.MaxErrors + 1, true}} {
		stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
			var stderr strings.Builder
			req := named("unread")
			req.Stderr = &stderr
			unread := s.open(req, func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
			other := s.ask(named("other"))
			p := s.conn(1)
			start := time.Now()
			p.Say(p.request("unread").Stderr(strings.Repeat("e", tt.size)), p.request("unread").Stdout("y"))
			p.Say(p.request("unread").End(0, complete))
			p.answer("other")
			other.expect("other")
			if took := time.Since(start); took > client.Patience {
				t.Errorf("the other answer took %v", took)
			}
			got, err := io.ReadAll(unread)
			unread.Close()
			if tt.failed != (err != nil) || !tt.failed && string(got) != "xy" || stderr.Len() != min(tt.size, client.MaxErrors) {
				t.Errorf("%d bytes of STDERR: read %q, %v; %d bytes told", tt.size, got, err, stderr.Len())
			}
		})
	}
}

// Nobody wants what is discarded: neither its failure nor itself is heard of afterwards.
func TestDiscardWhileTheDiskIsBusy(t *testing.T) {
	for name, diskErr := range map[string]error{"written": nil, "fails": errWhy} {
		t.Run(name, func(t *testing.T) {
			stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
				d := newDisk()
				s.c.SetSpool(d.create)
				unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
				other := s.ask(named("other"))
				p := s.conn(1)
				d.halt()
				p.Say(p.request("unread").Stdout(counting(2 * client.MaxBuffered)))
				ended := make(chan error, 1)
				var end protocol.EndRequest
				go func() {
					var err error
					end, err = unread.Wait()
					ended <- err
				}()
				synctest.Wait()
				d.goOn(diskErr)
				p.Say(p.request("unread").Stdout(counting(2*client.MaxBuffered)), p.request("unread").End(3, complete))
				if err := <-ended; err != nil || end.AppStatus != 3 {
					t.Errorf("Wait: %v, %v", end, err)
				}
				if n, err := unread.Read(make([]byte, 1)); n != 0 || err != io.EOF {
					t.Errorf("Read after Wait: %d, %v", n, err)
				}
				unread.Close()
				p.answer("other")
				other.expect("other")
				if n := d.open(); n != 0 {
					t.Errorf("%d files are left", n)
				}
			})
		})
	}
}

// The same while a piece is read back.
func TestDiscardWhileReadingBack(t *testing.T) {
	stageTest(t, &client.Client{}, func(t *testing.T, s *stage) {
		d := newDisk()
		s.c.SetSpool(d.create)
		unread := s.open(named("unread"), func() { s.conn(1).Say(s.conn(1).request("unread").Stdout("x")) })
		other := s.ask(named("other"))
		p := s.conn(1)
		p.Say(p.request("unread").Answer(counting(3 * client.MaxBuffered)))
		synctest.Wait()
		d.halt()
		io.CopyN(io.Discard, unread, client.MaxBuffered)
		go unread.Read(make([]byte, 1))
		synctest.Wait()
		unread.Wait()
		d.goOn(nil)
		if n, err := unread.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("Read after Wait: %d, %v", n, err)
		}
		unread.Close()
		p.answer("other")
		other.expect("other")
	})
}
