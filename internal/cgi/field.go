package cgi

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
