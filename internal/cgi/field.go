package cgi

import "strings"

// ValidName reports whether s may be the name of a header field: a token, as
// RFC 9110 §5.6.2 has it. Space, colon and everything that could end a line are
// no part of one.
func ValidName(s string) bool {
	for i := range len(s) {
		if !isToken(s[i]) {
			return false
		}
	}
	return s != ""
}

// ValidValue reports whether s may be the value of a header field: it has no
// control characters but the tab (RFC 9110 §5.5). CR and LF would let a value
// start a header of its own, and NUL would cut it off in a C program.
func ValidValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// OneLine returns the value of a header field with spaces for what would end its
// line, as net/http sends it.
func OneLine(value string) string {
	if strings.ContainsAny(value, "\r\n") {
		value = newlines.Replace(value)
	}
	return strings.Trim(value, " \t")
}

var newlines = strings.NewReplacer("\r", " ", "\n", " ")

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isToken(c byte) bool {
	switch c {
	case '!', '#', '$', '%', '&', '\'', '*', '+', '-', '.', '^', '_', '`', '|', '~':
		return true
	}
	return isAlphanumeric(c)
}
