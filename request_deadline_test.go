package fastcgi_test

import (
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// waits are what a handler may wait for, for ever unless there is a deadline.
var waits = []struct {
	name string
	sent []byte
	set  func(r *fastcgi.Request, t time.Time) error
	wait func(w fastcgi.ResponseWriter, r *fastcgi.Request) error
}{
	{"Read", start(1, true), (*fastcgi.Request).SetReadDeadline, func(_ fastcgi.ResponseWriter, r *fastcgi.Request) error {
		_, err := r.Read(make([]byte, 1))
		return err
	}},
	{
		"Data", slices.Concat(begin(1, fastcgi.RoleFilter, true), paramsEnd(1), stdinEnd(1)), (*fastcgi.Request).SetReadDeadline,
		func(_ fastcgi.ResponseWriter, r *fastcgi.Request) error {
			_, err := r.Data().Read(make([]byte, 1))
			return err
		},
	},
	{"Write", get(1, true), (*fastcgi.Request).SetWriteDeadline, func(w fastcgi.ResponseWriter, _ *fastcgi.Request) error {
		return writeForEver(w)
	}},
	{"Stderr", get(1, true), (*fastcgi.Request).SetWriteDeadline, func(w fastcgi.ResponseWriter, _ *fastcgi.Request) error {
		return writeForEver(w.Stderr())
	}},
}

// A deadline ends what waits for it at its time and not before, whether it was set before or meanwhile.
func TestRequestDeadline(t *testing.T) {
	for _, tt := range waits {
		for _, meanwhile := range []bool{false, true} {
			for _, wait := range []time.Duration{-time.Hour, 0, 1, time.Minute} {
				name := tt.name + "/before/" + wait.String()
				if meanwhile {
					name = tt.name + "/meanwhile/" + wait.String()
				}
				t.Run(name, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						h := holdUnread(t, tt.sent)
						ended := make(chan error, 1)
						run := func() { ended <- tt.wait(h.w, h.r) }
						if meanwhile {
							go run()
							sleep(time.Hour)
						}
						began := time.Now()
						if err := tt.set(h.r, began.Add(wait)); err != nil {
							t.Fatal(err)
						}
						if !meanwhile {
							go run()
						}
						err := <-ended
						if took := time.Since(began); !errors.Is(err, os.ErrDeadlineExceeded) || took != max(0, wait) {
							t.Errorf("got %v after %v", err, took)
						}
						h.finish()
					})
				})
			}
		}
	}
}

// holdUnread has a server that nobody reads from begin a request.
func holdUnread(t *testing.T, sent []byte) *held {
	requests := make(chan *held, 1)
	h := holding(requests)
	inBubble.serve(t, &fastcgi.Server{Handler: h, Filter: h, WriteTimeout: -1, BodyTimeout: -1}).dial(t).send(sent)
	return <-requests
}

// A deadline that was moved or taken back holds no longer.
func TestRequestDeadlineMoved(t *testing.T) {
	for _, tt := range waits {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := holdUnread(t, tt.sent)
				ended := make(chan error, 1)
				began := time.Now()
				tt.set(h.r, began.Add(time.Second))
				go func() { ended <- tt.wait(h.w, h.r) }()
				synctest.Wait()
				tt.set(h.r, time.Time{})
				sleep(time.Hour)
				tt.set(h.r, time.Now().Add(time.Hour))
				sleep(time.Minute)
				tt.set(h.r, time.Now().Add(time.Minute))
				if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != time.Hour+2*time.Minute {
					t.Errorf("got %v after %v", err, time.Since(began))
				}
				h.finish()
			})
		})
	}
}

// After a deadline, a later one puts things right; what has arrived is not lost. Flush needs no deadline.
func TestRequestDeadlineAgain(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		requests := make(chan *held, 1)
		w := p.serve(t, &fastcgi.Server{Handler: holding(requests)}).dial(t)
		w.send(post(1, true, "body"))
		h := receive(t, requests)
		io.WriteString(h.w, "Status: 200\r\n\r\n")
		past := time.Unix(1, 0)
		h.r.SetReadDeadline(past)
		h.r.SetWriteDeadline(past)
		if n, err := h.r.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Read returned %d, %v", n, err)
		}
		if n, err := h.w.Write([]byte("late")); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write returned %d, %v", n, err)
		}
		if err := h.w.Flush(); err != nil {
			t.Errorf("Flush returned %v", err)
		}
		h.w.SetAppStatus(7)
		h.r.SetReadDeadline(time.Now().Add(time.Hour))
		h.r.SetWriteDeadline(time.Time{})
		if body, err := io.ReadAll(h.r); string(body) != "body" || err != nil {
			t.Errorf("read %q, %v", body, err)
		}
		io.WriteString(h.w, "in time")
		h.finish()
		if got := w.answer(1); got.body() != "in time" || got.end.AppStatus != 7 {
			t.Errorf("got %q, %+v", got.body(), got.end)
		}
		for _, set := range []func(time.Time) error{h.r.SetReadDeadline, h.r.SetWriteDeadline} {
			if err := set(past); !errors.Is(err, fastcgi.ErrFinished) {
				t.Errorf("after the request: %v", err)
			}
		}
	})
}

// http.ResponseController sets deadlines, and a response that one has cut short does not pass for a whole one.
func TestHTTPDeadlines(t *testing.T) {
	past := time.Unix(1, 0)
	for _, tt := range []struct {
		name   string
		handle func(w http.ResponseWriter, r *http.Request, c *http.ResponseController)
		want   string
		status uint32
		logged string
	}{
		{"read", func(w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			c.SetReadDeadline(past)
			_, err := io.ReadAll(r.Body)
			io.WriteString(w, err.Error())
		}, "i/o timeout", 0, ""},
		{"write held back", func(w http.ResponseWriter, _ *http.Request, c *http.ResponseController) {
			io.WriteString(w, "never")
			c.SetWriteDeadline(past)
		}, "", 1, "cut short by the write deadline"},
		{"write flushed", func(w http.ResponseWriter, _ *http.Request, c *http.ResponseController) {
			io.WriteString(w, "part")
			c.Flush()
			c.SetWriteDeadline(past)
			if _, err := io.WriteString(w, "late"); !errors.Is(err, os.ErrDeadlineExceeded) {
				panic(err)
			}
		}, "part", 1, "cut short by the write deadline"},
		{"none any more", func(w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			c.SetReadDeadline(time.Now().Add(time.Hour))
			c.SetWriteDeadline(time.Now().Add(time.Hour))
			c.SetReadDeadline(time.Time{})
			c.SetWriteDeadline(time.Time{})
			io.Copy(w, r.Body)
		}, "body", 0, ""},
		{"none any more, but too late", func(w http.ResponseWriter, r *http.Request, c *http.ResponseController) {
			c.SetReadDeadline(past)
			c.SetWriteDeadline(past)
			c.SetReadDeadline(time.Time{})
			c.SetWriteDeadline(time.Time{})
			io.Copy(w, r.Body)
		}, "", 1, "cut short by the write deadline"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				app := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					tt.handle(w, r, http.NewResponseController(w))
				}))
				web := app.dial(t)
				web.send(post(1, true, "body", httpGet()...))
				got := web.answer(1)
				if got.body() != tt.want || got.end.AppStatus != tt.status {
					t.Errorf("got %q, %+v", got.body(), got.end)
				}
				app.expectLogged(t, tt.logged)
			})
		})
	}
}

// A Write that a deadline ends says how much it has written.
func TestRequestDeadlinePartialWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := holdUnread(t, get(1, true))
		h.r.SetWriteDeadline(time.Now().Add(time.Second))
		large := strings.Repeat("x", 1<<20)
		n, err := io.WriteString(h.w, large)
		if n <= 0 || n >= len(large) || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("Write returned %d, %v", n, err)
		}
		h.finish()
	})
}
