package client_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// The header must be there within its time, in which that of the request's body does not count.
func TestTransportHeaderTimeout(t *testing.T) {
	const limit = time.Minute
	for _, tt := range []struct {
		name        string
		timeout     time.Duration
		body        time.Duration // until the request's body is there
		think       time.Duration // until the header is there
		withinFirst bool          // a part of it is there at once
		want        error
	}{
		{"default, one less", 0, 0, limit - 1, false, nil},
		{"default, one more", 0, 0, limit + 1, false, client.ErrHeaderTimeout},
		{"less", limit, 0, limit - 1, false, nil},
		{"more", limit, 0, limit + 1, false, client.ErrHeaderTimeout},
		{"a slow body", limit, time.Hour, limit - 1, false, nil},
		{"a slow body, more", limit, time.Hour, limit + 1, false, client.ErrHeaderTimeout},
		{"half a header", limit, 0, limit + 1, true, client.ErrHeaderTimeout},
		{"none", -1, 0, 1000 * time.Hour, false, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) {
					r := a.Request()
					if r == nil {
						return
					}
					if tt.withinFirst {
						a.Say(r.Stdout("Status: 200\n"))
					}
					time.Sleep(tt.think)
					a.Say(r.Answer("Status: 200\n\nok"))
				})
				defer c.Close()
				transport := &client.Transport{Client: c, ResponseHeaderTimeout: tt.timeout, StreamBody: true}
				ours, theirs := io.Pipe()
				go func() { time.Sleep(tt.body); theirs.Close() }()
				body := &watchedBody{Reader: ours}
				_, got, err := roundTrip(transport, request(t, "POST", "http://h/", body))
				var timeout net.Error
				if !errors.Is(err, tt.want) || (err == nil) != (got == "ok") || err != nil && (!errors.As(err, &timeout) || !timeout.Timeout() || client.StatusOf(err) != 504) {
					t.Errorf("%q, %v", got, err)
				}
				synctest.Wait()
				body.expectClosed(t)
			})
		})
	}
}

// The timeouts of http.Client hold in every phase.
func TestTransportClientTimeout(t *testing.T) {
	for _, stdout := range []string{"", "Status: 200\n", "Status: 200\n\nhello"} {
		synctest.Test(t, func(t *testing.T) {
			c := pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) {
				r := a.Request()
				a.Say(r.Stdout(stdout))
				a.AwaitClose()
			})
			defer c.Close()
			h := &http.Client{Transport: &client.Transport{Client: c}, Timeout: time.Second}
			begun := time.Now()
			resp, err := h.Get("http://h/")
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			var timeout net.Error
			if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() || time.Since(begun) != time.Second {
				t.Errorf("%q: after %v, %v", stdout, time.Since(begun), err)
			}
		})
	}
}

// Once a response is whole, its caller waits for nothing: neither for END_REQUEST nor for what comes after the
// Content-Length. The connection is used again if that is soon and little.
func TestTransportWhole(t *testing.T) {
	const drain, most = 10 * time.Second, 256 << 10
	for _, tt := range []struct {
		name   string
		method string
		extra  int
		think  time.Duration
		conns  int
	}{
		{"at once", "GET", 0, 0, 1},
		{"soon", "GET", 0, drain - 1, 1},
		{"late", "GET", 0, drain + 1, 2},
		{"more", "GET", most - 1, 0, 1},
		{"too much", "GET", 2 * most, 0, 2}, // some of it is on its way anyhow
		{"HEAD", "HEAD", 100, drain - 1, 1},
		{"HEAD, late", "HEAD", 100, drain + 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conns := 0
				c := pipeClient(t, &client.Client{KeepConn: true, IdleTimeout: -1}, func(a *fakeapp.Conn) {
					conns = max(conns, a.N)
					for r := a.Request(); r != nil; r = a.Request() {
						a.Say(r.Stdout("Status: 200\nContent-Length: 5\n\nhello" + strings.Repeat("x", tt.extra)))
						time.Sleep(tt.think)
						if !a.Say(r.Answer("")) {
							return
						}
					}
				})
				defer c.Close()
				h := &http.Client{Transport: &client.Transport{Client: c, ErrorLog: slog.New(slog.DiscardHandler)}, Timeout: time.Hour}
				for range 2 {
					begun := time.Now()
					resp, err := h.Do(request(t, tt.method, "http://h/", nil))
					if err != nil {
						t.Fatal(err)
					}
					body, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					if err != nil || tt.method == "GET" && string(body) != "hello" || time.Since(begun) != 0 {
						t.Errorf("after %v, %q, %v", time.Since(begun), body, err)
					}
					time.Sleep(drain + 1)
					synctest.Wait()
				}
				if conns != tt.conns {
					t.Errorf("%d connections, want %d", conns, tt.conns)
				}
			})
		})
	}
}
