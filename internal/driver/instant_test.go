package driver_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// Instants go with the clock, and none of them is zero.
func TestNow(t *testing.T) {
	if driver.Now() <= 0 {
		t.Error("now is no instant")
	}
	synctest.Test(t, func(*testing.T) {
		before := driver.Now()
		time.Sleep(time.Hour)
		if now := driver.Now(); now != before.After(time.Hour) || now.Sub(before) != time.Hour {
			t.Errorf("%v have passed", now.Sub(before))
		}
	})
}

// Time is what package net takes: an instant's time, and no time for none.
func TestInstantTime(t *testing.T) {
	if got := driver.Instant(0).Time(); !got.IsZero() {
		t.Errorf("zero is %v", got)
	}
	synctest.Test(t, func(*testing.T) {
		if got := time.Until(driver.Now().After(time.Minute).Time()); got != time.Minute {
			t.Errorf("in a minute is in %v", got)
		}
	})
}

// Earlier has zero for never.
func TestEarlier(t *testing.T) {
	for _, test := range [][3]driver.Instant{{0, 0, 0}, {0, 1, 1}, {1, 0, 1}, {1, 2, 1}, {2, 1, 1}, {3, 3, 3}} {
		if got := driver.Earlier(test[0], test[1]); got != test[2] {
			t.Errorf("of %d and %d the earlier is %d", test[0], test[1], got)
		}
	}
}
