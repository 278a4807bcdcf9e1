package main

import (
	"bytes"
	"io"
	"os"
	"testing"
)

func TestColourIsForTerminals(t *testing.T) {
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, too
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	file, err := os.Create(t.TempDir() + "/log")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, tt := range []struct {
		name          string
		w             io.Writer
		noColor, term string
		want          paint
	}{
		{"terminal", terminal, "", "xterm", true},
		{"terminal without colour", terminal, "1", "xterm", false},
		{"dumb terminal", terminal, "", "dumb", false},
		{"file", file, "", "xterm", false},
		{"buffer", new(bytes.Buffer), "", "xterm", false},
	} {
		t.Setenv("NO_COLOR", tt.noColor)
		t.Setenv("TERM", tt.term)
		if got := paintFor(tt.w); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestPaint(t *testing.T) {
	if got := paint(false).bad("text"); got != "text" {
		t.Errorf("without colour, it is %q", got)
	}
	if got := paint(true).bad("text"); got != "\x1b[1;31mtext\x1b[0m" {
		t.Errorf("with colour, it is %q", got)
	}
	if paint(true).other(1, "a") == paint(true).other(2, "a") {
		t.Error("two neighbours have the same colour")
	}
	paint(true).other(1000, "a") // there is one for everybody
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		"plain\ttext, straße, 日本": "plain\ttext, straße, 日本",
		`back\slash and "quote"`:  `back\slash and "quote"`,
		"\x00\x07\x1b[31m\x7f":    `\x00\a\x1b[31m\x7f`,
		"a\r\nb":                  `a\r\nb`,
		"\u0085\u009b1m":          `\u0085\u009b1m`, // controls of eight bits
		"\u202egpj.exe":           `\u202egpj.exe`,  // from right to left
		"a\u2028b":                `a\u2028b`,
		"\xff\xfeé\xc3":           `\xff\xfeé\xc3`,
		"\ufffd is a character":   "\ufffd is a character",
	} {
		if got := printable(text); got != want {
			t.Errorf("%q is shown as %s, want %s", text, got, want)
		}
	}
}
