package caddyfcgi

import (
	"fmt"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
)

// Addresses that come from requests do not add up: those that nobody asks any more are forgotten, and no others.
func TestForget(t *testing.T) {
	for _, tt := range []struct {
		forget time.Duration
		hold   int // how many are in use
		want   int
	}{{0, 0, 1}, {0, 2, 3}, {time.Hour, 0, 9}, {-1, 0, 9}} {
		us := &upstreams{forget: tt.forget}
		us.make = func(to target) *upstream {
			return &upstream{target: to, owner: us, client: new(client.Client)}
		}
		var held []*upstream
		for i := range 9 {
			u := us.acquire(target{"tcp", fmt.Sprint(i)})
			if i < tt.hold {
				held = append(held, u)
			} else {
				us.release(u)
			}
		}
		if n := len(us.known); n != tt.want {
			t.Errorf("forget %v, %d in use: %d are known, want %d", tt.forget, tt.hold, n, tt.want)
		}
		us.close()
		if n := len(us.known); n != tt.hold {
			t.Errorf("forget %v, %d in use: %d are known after close", tt.forget, tt.hold, n)
		}
		for _, u := range held {
			us.release(u)
		}
		if n := len(us.known); n != 0 {
			t.Errorf("forget %v: %d are known at the end", tt.forget, n)
		}
	}
}
