package cgi

import (
	"cmp"
	"fmt"
	"net/http"
	"strconv"
)

// StatusText returns the name of a status code as RFC 9110 §15 has it, or "" for
// a code without one. Package net/http keeps four names that are older.
func StatusText(code int) string {
	switch code {
	case http.StatusRequestEntityTooLarge:
		return "Content Too Large"
	case http.StatusRequestURITooLong:
		return "URI Too Long"
	case http.StatusRequestedRangeNotSatisfiable:
		return "Range Not Satisfiable"
	case http.StatusUnprocessableEntity:
		return "Unprocessable Content"
	}
	return http.StatusText(code)
}

// AppendStatus appends the Status line of a CGI response (RFC 3875 §6.3.3).
func AppendStatus(b []byte, code int) []byte {
	b = strconv.AppendInt(append(b, "Status: "...), int64(code), 10)
	if text := StatusText(code); text != "" {
		b = append(append(b, ' '), text...)
	}
	return append(b, "\r\n"...)
}

// BodyAllowed reports whether a response with this status has a body (RFC 9110
// §6.4.1).
func BodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// AppendErrorPage appends the response that says nothing but its status.
func AppendErrorPage(b []byte, code int) []byte {
	b = AppendStatus(b, code)
	b = append(b, "Content-Type: text/plain; charset=utf-8\r\n\r\n"...)
	return append(b, StatusPage(code)...)
}

// StatusPage returns the body of a response that says nothing but its status.
func StatusPage(code int) string { return cmp.Or(StatusText(code), strconv.Itoa(code)) + "\n" }

// A StatusError is an error with the HTTP status that tells it.
type StatusError struct {
	Code int
	Err  error
}

// Error is that of Err.
func (e *StatusError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *StatusError) Unwrap() error { return e.Err }

func statusErrorf(code int, format string, args ...any) error {
	return &StatusError{code, fmt.Errorf(format, args...)}
}
