package driver_test

import (
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A peer is given up a timeout after the last progress that was seen, and not before.
func TestStall(t *testing.T) {
	const timeout = 100
	type check struct {
		at     driver.Instant
		queued int // below zero: the system cannot tell
		over   bool
	}
	for _, test := range []struct {
		name   string
		checks []check
	}{
		// The first look is the first that anything is known of.
		{"nothing is read", []check{{1025, 500, false}, {1050, 500, false}, {1124, 500, false}, {1125, 500, true}}},
		{"one byte is read", []check{{1025, 500, false}, {1050, 499, false}, {1149, 499, false}, {1150, 499, true}}},
		{"a byte is read at the end", []check{{1025, 500, false}, {1125, 499, false}, {1224, 499, false}, {1225, 499, true}}},
		{"a byte is read again and again", []check{{1025, 500, false}, {1100, 499, false}, {1190, 498, false}, {1280, 497, false}, {1379, 497, false}, {1380, 497, true}}},
		{"more is held", []check{{1025, 500, false}, {1050, 600, false}, {1125, 600, true}}},
		{"more is held, and then less", []check{{1025, 500, false}, {1050, 600, false}, {1075, 550, false}, {1174, 550, false}, {1175, 550, true}}},
		{"the system cannot tell", []check{{1025, -1, false}, {1099, -1, false}, {1100, -1, true}}},
		{"the system can tell now and then", []check{{1025, -1, false}, {1050, 500, false}, {1149, 500, false}, {1150, -1, true}}},
	} {
		var s driver.Stall
		s.Took(1) // as before another write
		s.Took(1000)
		for _, c := range test.checks {
			if over := s.Check(c.at, timeout, c.queued, c.queued >= 0); over != c.over {
				t.Errorf("%s: at %d the timeout is over: %v, want %v", test.name, c.at, over, c.over)
			}
		}
	}
}

// It is looked four times in each timeout, and at the very end, whatever the clock does.
func TestStallDue(t *testing.T) {
	for _, timeout := range []time.Duration{1, 2, 3, 4, 5, 99, 100, time.Minute} {
		var s driver.Stall
		s.Took(1000)
		looks := 0
		for now := driver.Instant(1000); ; looks++ {
			due := s.Due(timeout)
			if due <= now || due.Sub(now) > max(timeout/4, 1) {
				t.Fatalf("after %d of %d the next look is at %d", now-1000, timeout, due)
			}
			now = due
			if s.Check(now, timeout, 0, false) {
				if now != s.End(timeout) || now != driver.Instant(1000).After(timeout) {
					t.Errorf("a timeout of %d was over after %d", timeout, now-1000)
				}
				break
			}
		}
		if looks > 5 {
			t.Errorf("it was looked %d times in %d", looks, timeout)
		}
	}
}
