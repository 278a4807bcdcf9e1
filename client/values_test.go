package client_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// result is a GET_VALUES_RESULT with the given names and values.
func result(pairs ...string) []byte {
	var b []byte
	for i := 0; i < len(pairs); i += 2 {
		b = protocol.AppendPair(b, pairs[i], pairs[i+1])
	}
	return protocol.AppendRecord(nil, protocol.TypeGetValuesResult, protocol.ManagementID, b)
}

func TestC11GetValues(t *testing.T) { eachMode(t, testC11GetValues) }

func testC11GetValues(t *testing.T, m mode) {
	forged := append(result("A", "1"), 0)
	forged[5]++ // one byte more than the pair has
	for _, tt := range []struct {
		name string
		say  []byte
		wait time.Duration // before it closes
		want map[string]string
		err  error
	}{
		{"all", result("FCGI_MAX_CONNS", "1", "FCGI_MPXS_CONNS", "0"), 0, map[string]string{"FCGI_MAX_CONNS": "1", "FCGI_MPXS_CONNS": "0"}, nil},
		{"none of them", result(), 0, map[string]string{}, nil},
		{"unknown type", protocol.AppendUnknownType(nil, protocol.TypeGetValues), 0, nil, client.ErrNoValues},
		{"closes", nil, 0, nil, client.ErrNoValues},
		{"closes in between", result("A", "1")[:10], 0, nil, client.ErrNoValues},
		{"silence", nil, time.Hour, nil, client.ErrNoValues},
		{"half an answer", result("A", "1")[:10], time.Hour, nil, client.ErrNoValues},
		// HAProxy 96286b2a8.
		{"forged", forged, 0, nil, protocol.ErrTruncatedPair},
	} {
		for _, piece := range []int{1 << 20, 1} {
			t.Run(tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					c := m.pipeClient(t, &client.Client{MaxConns: 1}, func(a *fakeapp.Conn) {
						a.Read(make([]byte, 4096))
						sayInPieces(a, tt.say, piece)
						time.Sleep(tt.wait)
					})
					start := time.Now()
					got, err := c.GetValues(t.Context())
					if !errors.Is(err, tt.err) || !maps.Equal(got, tt.want) {
						t.Errorf("got %v, %v; want %v, %v", got, err, tt.want, tt.err)
					}
					if d := time.Since(start); d > 2*time.Second {
						t.Errorf("took %v", d)
					}
				})
			})
		}
	}
}

func TestC11GetValuesAsks(t *testing.T) { eachMode(t, testC11GetValuesAsks) }

func testC11GetValuesAsks(t *testing.T, m mode) {
	for _, names := range [][]string{nil, {"A", "B"}} {
		want := names
		if names == nil {
			want = []string{protocol.VarMaxConns, protocol.VarMaxReqs, protocol.VarMpxsConns}
		}
		c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
			buf := make([]byte, 4096)
			n, _ := a.Read(buf)
			if got := string(buf[:n]); got != string(protocol.AppendGetValues(nil, want...)) {
				t.Errorf("asked %q", got)
			}
		})
		c.GetValues(t.Context(), names...)
	}
}

func TestC11GetValuesCancelled(t *testing.T) { eachMode(t, testC11GetValuesCancelled) }

func testC11GetValuesCancelled(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		c := m.pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) { a.AwaitClose() })
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errWhy)
		defer cancel()
		if _, err := c.GetValues(ctx); !errors.Is(err, errWhy) {
			t.Errorf("error %v", err)
		}
	})
}

// C14: a kept connection makes room for the question.
func TestC14GetValuesStaysWithinMaxConns(t *testing.T) {
	eachMode(t, testC14GetValuesStaysWithinMaxConns)
}

func testC14GetValuesStaysWithinMaxConns(t *testing.T, m mode) {
	gone := make(chan struct{})
	c := m.newClient(t, &client.Client{KeepConn: true, MaxConns: 1}, func(a *fakeapp.Conn) {
		if a.N == 1 {
			a.Say(a.Request().Answer("ok"))
			a.AwaitClose()
			close(gone)
			return
		}
		<-gone
		a.Say(result("A", "1"))
		a.AwaitClose()
	})
	expect(t, c, get(), "ok")
	if values, err := c.GetValues(t.Context(), "A"); err != nil || values["A"] != "1" {
		t.Errorf("%v, %v", values, err)
	}
}
