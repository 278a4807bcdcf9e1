package house_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

var (
	linkTarget  = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading     = regexp.MustCompile(`(?m)^#+ (.*)$`)
	fencedText  = regexp.MustCompile("(?ms)^```.*?^```$")
	linkedWords = regexp.MustCompile(`\[([^]]*)\]\([^)]*\)`)
)

// Every link from a page leads somewhere, also those to a heading, and links lead from the README to every page.
func TestPagesAreLinked(t *testing.T) {
	pages := slices.Concat(glob(t, "*.md"), glob(t, "docs", "*.md"), glob(t, "*", "README.md"), glob(t, "*", "*", "README.md"))
	leadsTo := make(map[string][]string)
	for _, page := range pages {
		for _, link := range linkTarget.FindAllStringSubmatch(fencedText.ReplaceAllString(readAll(t, page), ""), -1) {
			path, anchor, _ := strings.Cut(link[1], "#")
			if strings.Contains(path, ":") {
				continue // of another site
			}
			to := page
			if path != "" {
				to = filepath.Join(filepath.Dir(page), filepath.FromSlash(path))
			}
			if _, err := os.Stat(to); err != nil {
				t.Errorf("%s links to %s, which is not there", page, link[1])
				continue
			}
			leadsTo[page] = append(leadsTo[page], to)
			if anchor != "" && !slices.Contains(anchors(readAll(t, to)), anchor) {
				t.Errorf("%s links to %s, and there is no such heading", page, link[1])
			}
		}
	}
	reached := map[string]bool{}
	for waiting := []string{filepath.Join(checkout, "README.md")}; len(waiting) > 0; waiting = waiting[1:] {
		if page := waiting[0]; !reached[page] {
			reached[page] = true
			waiting = append(waiting, leadsTo[page]...)
		}
	}
	for _, page := range glob(t, "docs", "*.md") {
		if !reached[page] {
			t.Errorf("no links lead from the README to %s", page)
		}
	}
}

// anchors are the names of a page's headings, as GitHub makes them: in small letters, with dashes for spaces, and
// without punctuation.
func anchors(page string) (names []string) {
	for _, match := range heading.FindAllStringSubmatch(fencedText.ReplaceAllString(page, ""), -1) {
		text := linkedWords.ReplaceAllString(match[1], "$1")
		names = append(names, strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, text))
	}
	return names
}

func TestAnchors(t *testing.T) {
	page := "# A page: of `http.Handlers`\n\n```\n# no heading\n```\n## With [a link](x.md), and_more\n"
	want := []string{"a-page-of-httphandlers", "with-a-link-and_more"}
	if got := anchors(page); !slices.Equal(got, want) {
		t.Errorf("the anchors are %q, want %q", got, want)
	}
}
