package logtext_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

// Lines are the same however they arrive, nothing of them is lost, and none is longer than MaxLine.
func TestLines(t *testing.T) {
	most := strings.Repeat("x", logtext.MaxLine)
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"one", []string{"one"}},
		{"one\n\ntwo\r\n", []string{"one", "", "two\r"}},
		{most[1:] + "\ny", []string{most[1:], "y"}},
		{most + "\ny", []string{most, "y"}},
		{most + "y\nz", []string{most, "y", "z"}},
		{most + most + "y", []string{most, most, "y"}},
	} {
		for _, size := range []int{1, 1000, len(tt.text) + 1} {
			var got []string
			l := logtext.Lines{Emit: func(line []byte) { got = append(got, string(line)) }}
			for piece := range slices.Chunk([]byte(tt.text), size) {
				if n, err := l.Write(piece); n != len(piece) || err != nil {
					t.Errorf("wrote %d of %d, %v", n, len(piece), err)
				}
			}
			l.Flush()
			l.Flush()
			if !slices.Equal(got, tt.want) {
				t.Errorf("%.20q in pieces of %d: %.60q", tt.text, size, got)
			}
		}
	}
}
