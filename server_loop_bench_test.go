//go:build linux

package fastcgi_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A short is a server whose requests take no time.
type short struct {
	name string
	srv  func() *fastcgi.Server
}

var shorts = []short{
	{"sync", func() *fastcgi.Server { return &fastcgi.Server{Handler: hello} }},
	{"async", func() *fastcgi.Server {
		return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			io.WriteString(ex, "hello")
			ex.Finish(0)
		})}
	}},
}

// onEachDriver runs a benchmark with every driver and kind of handler, over Unix sockets.
func onEachDriver(b *testing.B, bench func(b *testing.B, a *app)) {
	for _, d := range drivers {
		for _, s := range shorts {
			b.Run(string(d.name)+"/"+s.name, func(b *testing.B) {
				bench(b, place{d, "unix"}.serve(b, s.srv()))
			})
		}
	}
}

// An asker makes one request after the other.
type asker struct {
	conn         io.ReadWriter
	request      []byte
	want, answer []byte
}

func newAsker(b *testing.B, a *app) *asker {
	w := a.dial(b)
	w.SetDeadline(time.Time{})
	w.ask(1).expect(b, "hello")
	k := &asker{conn: w.Conn, request: get(1, true)}
	// All answers are the same bytes: those of the second, whatever its padding is.
	w.Write(k.request)
	var want bytes.Buffer
	for more := true; more; {
		h, _ := readRecord(b, io.TeeReader(w.Conn, &want))
		more = h.Type != protocol.TypeEndRequest
	}
	k.want = want.Bytes()
	k.answer = make([]byte, len(k.want))
	return k
}

func (k *asker) ask() error {
	if _, err := k.conn.Write(k.request); err != nil {
		return err
	}
	if _, err := io.ReadFull(k.conn, k.answer); err != nil {
		return err
	}
	if !bytes.Equal(k.answer, k.want) {
		return fmt.Errorf("the answer is %q, want %q", k.answer, k.want)
	}
	return nil
}

// work is what keeps a processor busy for some 100 µs.
func work(block []byte) { sha256.Sum256(block) }

func workBlock() []byte { return make([]byte, 128<<10) }

// beBusy has goroutines work until the benchmark ends.
func beBusy(b *testing.B, goroutines int) {
	var end atomic.Bool
	var all sync.WaitGroup
	for range goroutines {
		all.Go(func() {
			for block := workBlock(); !end.Load(); {
				work(block)
			}
		})
	}
	b.Cleanup(func() {
		end.Store(true)
		all.Wait()
	})
}

// BenchmarkLoopBesideBusyGoroutine is how long requests take while goroutines that never wait for anything take what they get
// of the processors: none, one for each processor, four for each. Client and server are in one process, and so wait for each
// other's turns. An operation is as many requests as fit into a fifth of a second, since some take a thousand times as long
// as others.
func BenchmarkLoopBesideBusyGoroutine(b *testing.B) {
	for _, perProcessor := range []int{0, 1, 4} {
		b.Run(fmt.Sprintf("busy=%d", perProcessor), func(b *testing.B) {
			onEachDriver(b, func(b *testing.B, a *app) {
				k := newAsker(b, a)
				beBusy(b, perProcessor*runtime.GOMAXPROCS(0))
				var took []time.Duration
				for b.Loop() {
					took = append(took, k.askFor(b, time.Second/5)...)
				}
				slices.Sort(took)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-median")
				b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
				b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "requests/s")
			})
		})
	}
}

// askFor asks until d has passed, and returns how long each request took.
func (k *asker) askFor(b *testing.B, d time.Duration) (took []time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
		start := time.Now()
		if err := k.ask(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start))
	}
	return took
}

// BenchmarkBusyGoroutineBesideLoop is a piece of work, done by as many goroutines as there are processors, while the server
// beside them has nothing, a thousand idle connections, or clients that ask without a pause.
func BenchmarkBusyGoroutineBesideLoop(b *testing.B) {
	for _, beside := range []struct {
		name          string
		idle, clients int
	}{{"nothing", 0, 0}, {"idle", 1000, 0}, {"clients", 0, 8}} {
		b.Run(beside.name, func(b *testing.B) {
			onEachDriver(b, func(b *testing.B, a *app) {
				for range beside.idle {
					a.dial(b)
				}
				answered := askWithoutPause(b, a, beside.clients)
				before, start := answered.Load(), time.Now()
				b.RunParallel(func(pb *testing.PB) {
					for block := workBlock(); pb.Next(); {
						work(block)
					}
				})
				if beside.clients > 0 {
					b.ReportMetric(float64(answered.Load()-before)/time.Since(start).Seconds(), "requests/s")
				}
			})
		})
	}
}

// askWithoutPause has clients ask until the benchmark ends. It returns how often they were answered.
func askWithoutPause(b *testing.B, a *app, clients int) (answered *atomic.Int64) {
	answered = new(atomic.Int64)
	var end atomic.Bool
	var all sync.WaitGroup
	for range clients {
		k := newAsker(b, a)
		all.Go(func() {
			for !end.Load() {
				if err := k.ask(); err != nil {
					b.Error(err)
					return
				}
				answered.Add(1)
			}
		})
	}
	b.Cleanup(func() {
		end.Store(true)
		all.Wait()
	})
	return answered
}
