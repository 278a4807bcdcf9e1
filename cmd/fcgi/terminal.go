package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A paint adds colour to text, or does not.
type paint bool

// paintFor decides about colour: it is for terminals only, and not where the environment declines it
// (https://no-color.org).
func paintFor(w io.Writer) paint {
	return paint(isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb")
}

// isTerminal also takes other character devices for a terminal, of which nobody reads what is written to them.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (p paint) heading(s string) string { return p.in("1", s) }
func (p paint) link(s string) string    { return p.in("1;4", s) }
func (p paint) own(s string) string     { return p.in("32", s) }
func (p paint) bad(s string) string     { return p.in("1;31", s) }

// other has a colour for each n, of those that can be read on black and on white.
func (p paint) other(n int, s string) string {
	colours := [...]string{"33", "36", "35", "34"}
	return p.in(colours[n%len(colours)], s)
}

func (p paint) in(colour, s string) string {
	if !p {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

// printable returns a text that did not come from here in a form that cannot move the cursor, forge a line or turn the
// order of letters around: what is not graphic, and what is not UTF-8, is written as Go escapes it in a string.
func printable(s string) string {
	if strings.IndexFunc(s, isUnprintable) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, size := utf8.DecodeRuneInString(s)
		if isUnprintable(r) || r == utf8.RuneError && size == 1 {
			quoted := strconv.QuoteToGraphic(s[:size])
			b.WriteString(quoted[1 : len(quoted)-1])
		} else {
			b.WriteString(s[:size])
		}
		s = s[size:]
	}
	return b.String()
}

func isUnprintable(r rune) bool { return r != '\t' && !unicode.IsGraphic(r) }
