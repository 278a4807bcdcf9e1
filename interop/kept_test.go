package interop_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/interop"
)

func TestReplaceSection(t *testing.T) {
	const page = "a\n<!-- written by one -->\nold\n<!-- end -->\nb\n<!-- written by two -->\nold\n<!-- end -->\n"
	const want = "a\n<!-- written by one -->\nold\n<!-- end -->\nb\n<!-- written by two -->\n\nnew\n\n<!-- end -->\n"
	if got, err := interop.ReplaceSection(page, "two", "new\n"); got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	for _, page := range []string{"", "<!-- written by two -->\n", "<!-- end -->\n", "<!-- written by one -->\n<!-- end -->\n"} {
		if got, err := interop.ReplaceSection(page, "two", "new\n"); err == nil {
			t.Errorf("%q became %q", page, got)
		}
	}
}
