//go:build linux

package harness

import (
	"testing"
	"time"
)

func TestFigures(t *testing.T) {
	for d, want := range map[time.Duration]string{
		4160 * time.Nanosecond: "4.16 µs",
		45 * time.Microsecond:  "45.0 µs",
		1586 * time.Nanosecond: "1.59 µs",
		800 * time.Microsecond: "800 µs",
		17 * time.Millisecond:  "17 ms",
		12 * time.Second:       "12.0 s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%d ns is %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{0: "0 B", 9000: "9000 B", 20 * KiB: "20.0 KiB", 7 * MiB: "7.0 MiB"} {
		if got := Size(n); got != want {
			t.Errorf("%d bytes are %q, want %q", n, got, want)
		}
	}
}
