package supervise_test

import (
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

func TestBackoff(t *testing.T) {
	const ms = time.Millisecond
	var b supervise.Backoff
	for i, tt := range []struct{ lived, want time.Duration }{
		{0, 100 * ms},
		{0, 200 * ms},
		{9999 * ms, 400 * ms},
		{0, 800 * ms},
		{0, 1600 * ms},
		{0, 3200 * ms},
		{0, 6400 * ms},
		{0, 10000 * ms},
		{9999 * ms, 10000 * ms},
		{10000 * ms, 100 * ms},
		{0, 200 * ms},
		{10001 * ms, 100 * ms},
	} {
		if got := b.After(tt.lived); got != tt.want {
			t.Errorf("end %d, after a life of %v: a pause of %v, want %v", i+1, tt.lived, got, tt.want)
		}
	}
}
