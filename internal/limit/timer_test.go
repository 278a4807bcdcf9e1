package limit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// A timer runs out after its limit, counted from the last Resume, and not while it is paused or once it was stopped.
func TestTimer(t *testing.T) {
	const second = time.Second
	for _, tt := range []struct {
		name  string
		limit time.Duration
		do    func(*limit.Timer)
		after time.Duration // from the end of do; zero: never
	}{
		{"nothing", second, func(*limit.Timer) {}, second},
		{"no limit", 0, func(*limit.Timer) {}, 0},
		{"pause", second, (*limit.Timer).Pause, 0},
		{"resume", second, func(t *limit.Timer) { time.Sleep(second / 2); t.Pause(); time.Sleep(time.Minute); t.Resume() }, second},
		{"stop", second, (*limit.Timer).Stop, 0},
		{"stopped for good", second, func(t *limit.Timer) { t.Pause(); t.Stop(); t.Resume() }, 0},
		{"no limit, resumed", 0, func(t *limit.Timer) { t.Pause(); t.Resume(); t.Stop() }, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				timer := limit.NewTimer(tt.limit)
				ranOut := make(chan bool, 1)
				timer.Start(func() { ranOut <- true })
				tt.do(timer)
				begun := time.Now()
				select {
				case <-ranOut:
					if took := time.Since(begun); took != tt.after {
						t.Errorf("it ran out after %v, want %v", took, tt.after)
					}
				case <-time.After(time.Hour):
					if tt.after != 0 {
						t.Error("it does not run out")
					}
				}
			})
		})
	}
	var zero limit.Timer
	zero.Resume()
	zero.Stop()
}
