package supervise_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

func TestEachLine(t *testing.T) {
	long := strings.Repeat("x", supervise.LongestLine-1)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", "", nil},
		{"one", "a\n", []string{"a"}},
		{"empty ones", "\n\r\na\n\n", []string{"", "", "a", ""}},
		{"without an end", "a\nb", []string{"a", "b"}},
		{"returns inside stay", "a\rb\r\r\n\r", []string{"a\rb\r", ""}},
		{"other bytes stay", "\x00\x1b[2J\xff\n", []string{"\x00\x1b[2J\xff"}},
		{"longest but one", long[1:] + "\n", []string{long[1:]}},
		{"longest", long + "\n", []string{long}},
		{"one byte too long", long + "yz\n", []string{long + "y", "z"}},
		{"twice too long", long + "y" + long + "z", []string{long + "y", long + "z"}},
	} {
		for how, r := range map[string]io.Reader{
			"whole":        strings.NewReader(tt.text),
			"byte by byte": iotest.OneByteReader(strings.NewReader(tt.text)),
			"failing":      io.MultiReader(strings.NewReader(tt.text), iotest.ErrReader(io.ErrClosedPipe)),
		} {
			var got []string
			supervise.EachLine(r, func(line string) { got = append(got, line) })
			if !slices.Equal(got, tt.want) {
				t.Errorf("%s, %s: got %.40q, want %.40q", tt.name, how, got, tt.want)
			}
		}
	}
}
