// Package logtext makes text that somebody else wrote fit to stand in a line of a
// log. Everything that logs or writes to FCGI_STDERR may import it.
package logtext

import (
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// Limit is how much of a text there is reason to show, in bytes, for Escape.
const Limit = 4 << 10

// Escape spells what could forge or erase lines of a log, or steer a terminal:
// control characters, other characters that nobody sees, and what is no UTF-8, as \n,
// \x1b or \u2028; the backslash as \\, so that nothing is lost. What goes beyond limit
// bytes, as it is spelled, is cut off, which a note at the end says.
func Escape[T string | []byte](text T, limit int) string {
	s := string(text[:min(len(text), limit+utf8.UTFMax)]) // no more than that is looked at
	out := make([]byte, 0, min(len(s), limit))
	for done := 0; done < len(s); {
		r, size := utf8.DecodeRuneInString(s[done:])
		before := len(out)
		out = appendEscaped(out, r, s[done:done+size])
		if len(out) > limit {
			return fmt.Sprintf("%s... (%d more bytes)", out[:before], len(text)-done)
		}
		done += size
	}
	return string(out)
}

// appendEscaped appends a character, of which raw are the bytes.
func appendEscaped(out []byte, r rune, raw string) []byte {
	switch {
	case r == '\\':
		return append(out, `\\`...)
	case r == utf8.RuneError && len(raw) == 1:
		const digits = "0123456789abcdef"
		return append(out, '\\', 'x', digits[raw[0]>>4], digits[raw[0]&15])
	case unicode.IsPrint(r):
		return append(out, raw...)
	}
	quoted := strconv.AppendQuoteRune(nil, r)
	return append(out, quoted[1:len(quoted)-1]...)
}
