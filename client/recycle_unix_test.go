//go:build unix

package client_test

import (
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

// campaign returns how often a test does what it does: few times, or as often as the variable says.
func campaign(t *testing.T, variable string, few int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// ways are how a client may use php-fpm.
var ways = map[string]func(*client.Client){
	"a connection each":            func(*client.Client) {},
	"kept":                         func(c *client.Client) { c.KeepConn, c.MaxIdle = true, 8 },
	"kept, taking turns":           func(c *client.Client) { c.KeepConn, c.MaxConns, c.MaxIdle = true, 4, 4 },
	"asked whether it multiplexes": func(c *client.Client) { c.KeepConn, c.MaxConns, c.Multiplex = true, 4, client.MultiplexAsk },
}

// X3: no GET fails before workers that end after five requests each.
func TestX3RecyclingWorkers(t *testing.T) {
	n := campaign(t, "FASTCGI_RECYCLE_REQUESTS", 300)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			p := fpm.StartWith(t, fpm.Settings{Children: 8, MaxRequests: 5})
			l := startGETs(t, p, way)
			l.await(int64(n))
			l.stop()
		})
	}
}

// X3, X7: no GET fails while php-fpm is restarted or reloaded, whose workers are ended in the midst of what they do.
func TestX7Restarts(t *testing.T) {
	n := campaign(t, "FASTCGI_RESTARTS_OF_FPM", 1)
	for how, again := range map[string]func(*fpm.Process){"restart": (*fpm.Process).Restart, "reload": (*fpm.Process).Reload} {
		for name, way := range ways {
			t.Run(how+", "+name, func(t *testing.T) {
				p := fpm.StartWith(t, fpm.Settings{Children: 8, MaxRequests: 5})
				l := startGETs(t, p, way)
				for range n {
					l.await(l.answered.Load() + 200)
					again(p)
				}
				l.await(l.answered.Load() + 200)
				l.stop()
			})
		}
	}
}

// GETs are requests from eight at once, of which none may fail.
type GETs struct {
	t        *testing.T
	client   client.Client
	params   []client.Pair
	answered atomic.Int64
	done     chan struct{}
	callers  sync.WaitGroup
}

// startGETs begins to ask.
func startGETs(t *testing.T, p *fpm.Process, way func(*client.Client)) *GETs {
	t.Helper()
	l := &GETs{t: t, params: script(t, `echo "pid ", getmypid();`, "GET", 0), done: make(chan struct{})}
	l.client.Addr = p.Addr
	way(&l.client)
	for range 8 {
		l.callers.Go(l.ask)
	}
	return l
}

func (l *GETs) ask() {
	for {
		select {
		case <-l.done:
			return
		default:
		}
		resp, err := l.client.Do(l.t.Context(), &client.Request{Params: l.params})
		if err != nil {
			l.t.Errorf("request %d: %v", l.answered.Load(), err)
			return
		}
		text, err := io.ReadAll(resp)
		resp.Close()
		if err != nil || !strings.Contains(string(text), "\r\n\r\npid ") {
			l.t.Errorf("request %d: %q, %v", l.answered.Load(), text, err)
			return
		}
		l.answered.Add(1)
	}
}

// await waits until so many were answered.
func (l *GETs) await(n int64) {
	l.t.Helper()
	last, since := l.answered.Load(), time.Now()
	for ; l.answered.Load() < n && !l.t.Failed(); time.Sleep(time.Millisecond) {
		if now := l.answered.Load(); now > last {
			last, since = now, time.Now()
		} else if time.Since(since) > time.Minute {
			l.t.Fatalf("no answer for a minute, after %d", last)
		}
	}
}

func (l *GETs) stop() {
	close(l.done)
	l.callers.Wait()
	l.client.Close()
}
