package logtext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

func TestEscape(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		`say "hello", wörld 世界 😀 \o/`: `say "hello", wörld 世界 😀 \\o/`,
		"a\r\nb":                      `a\r\nb`,
		"\x1b[2J\x00\t\x7f":           `\x1b[2J\x00\t\x7f`,
		"\u0085\u009b\u2028\u2029":    `\u0085\u009b\u2028\u2029`,
		"\u202e\ufeff\u00a0":          `\u202e\ufeff\u00a0`,
		"\xff\xc3(\xe2\x80":           `\xff\xc3(\xe2\x80`,
		"\U000e0001":                  `\U000e0001`,
		"\ufffd":                      "\ufffd",
	} {
		if got := logtext.Escape(text, logtext.Limit); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
		if got := logtext.Escape([]byte(text), logtext.Limit); got != want {
			t.Errorf("the bytes of %q are %q, want %q", text, got, want)
		}
	}
}

func TestEscapeLimit(t *testing.T) {
	x := strings.Repeat("x", logtext.Limit-1)
	for text, want := range map[string]string{
		x:            x,
		x + "y":      x + "y",
		x + "yz":     x + "y... (1 more bytes)",
		x + "\n":     x + "... (1 more bytes)",
		x + "éa":     x + "... (3 more bytes)",
		x + "\xffab": x + "... (3 more bytes)",
		x + "y" + x:  x + "y... (4095 more bytes)",
	} {
		if got := logtext.Escape(text, logtext.Limit); got != want {
			t.Errorf("%d bytes end with %q, want %q", len(text), got[max(0, len(got)-30):], want[max(0, len(want)-30):])
		}
	}
	nuls := logtext.Escape(strings.Repeat("\x00", 1<<20), logtext.Limit)
	if want := strings.Repeat(`\x00`, logtext.Limit/4) + "... (1047552 more bytes)"; nuls != want {
		t.Errorf("a megabyte of NULs ends with %q", nuls[max(0, len(nuls)-30):])
	}
}

// Whatever comes in, what comes out is one line that shows.
func FuzzEscape(f *testing.F) {
	f.Add("a\r\n\x1b\xff\u2028")
	f.Fuzz(func(t *testing.T, text string) {
		got := logtext.Escape(text, logtext.Limit)
		if !utf8.ValidString(got) || len(got) > logtext.Limit+len("... (9223372036854775807 more bytes)") {
			t.Errorf("%q became %q", text, got)
		}
		for _, r := range got {
			if !unicode.IsPrint(r) {
				t.Errorf("%q became %q", text, got)
			}
		}
	})
}
