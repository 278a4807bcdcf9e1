package limit_test

import (
	"math"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct{ n, want int }{
		{math.MinInt, -7}, {-1, -7}, {0, 42}, {1, 1}, {41, 41}, {42, 42}, {math.MaxInt, math.MaxInt},
	} {
		if got := limit.Of(tt.n, 42, -7); got != tt.want {
			t.Errorf("Of(%d, 42, -7) = %d, want %d", tt.n, got, tt.want)
		}
	}
	if got := limit.Of(-time.Second, time.Minute, 0); got != 0 {
		t.Errorf("a duration below zero is %v, want 0", got)
	}
}
