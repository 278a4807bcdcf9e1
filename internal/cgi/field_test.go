package cgi_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"Content-Type":         true,
		"x":                    true,
		"!#$%&'*+-.^_`|~9aZ":   true,
		"":                     false,
		"A B":                  false,
		"A ":                   false,
		"A:":                   false,
		"A\r":                  false,
		"A\n":                  false,
		"A\x00":                false,
		"A\x7f":                false,
		"Ä":                    false,
		"(A)":                  false,
		"Set-Cookie\r\nX-Evil": false,
	} {
		if got := cgi.ValidName(name); got != want {
			t.Errorf("ValidName(%q) = %v", name, got)
		}
	}
}

// CVE-2024-42516: a value must not be able to start a header of its own.
func TestValidValue(t *testing.T) {
	for value, want := range map[string]bool{
		"":                   true,
		"text/html":          true,
		"a\tb":               true,
		"größe \xff":         true,
		"a\rb":               false,
		"a\nb":               false,
		"a\r\nSet-Cookie: x": false,
		"a\x00b":             false,
		"a\x1b[2Jb":          false,
		"a\x7f":              false,
	} {
		if got := cgi.ValidValue(value); got != want {
			t.Errorf("ValidValue(%q) = %v", value, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	for value, want := range map[string]string{
		"": "", "a": "a", " a b\t": "a b", "a\r\nB: c": "a  B: c", "\n": "", "a\n": "a",
	} {
		if got := cgi.OneLine(value); got != want {
			t.Errorf("%q: got %q", value, got)
		}
	}
}
