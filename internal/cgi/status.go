package cgi

import "net/http"

// StatusText returns the name of a status code as RFC 9110 §15 has it, or "" for
// a code without one. Package net/http keeps two names that are older.
func StatusText(code int) string {
	switch code {
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(code)
}
