package interop_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var updatePage = flag.Bool("update", false, "write the table of docs/from-simple-fastcgi.md")

// A divergence is something that the package's examples and those here do not do alike: a row on the page.
type divergence struct {
	what         string
	theirs, here string
	reason       string
	shows        func(theirs, here packageReply) bool // whether two answers differ so, and in nothing else
}

// divergences are all that are known, as the page has them.
var divergences = []*divergence{
	layout, spaces, separators, errorText, lowerCase, notUTF8, unreadBody, wayOut, linksOut, namesNotUTF8, semicolon, rounding,
}

var (
	layout = &divergence{
		what:   "echo: JSON",
		theirs: "indented by tabs, nothing escaped that need not be",
		here:   "in one line; `<`, `>` and `&` are `\\u003c`, `\\u003e` and `\\u0026`",
		reason: "what `json.Marshal` does, so that JSON within HTML ends no script; there is [a way to the same bytes](#the-same-bytes)",
		shows: func(theirs, here packageReply) bool {
			return sameHead(theirs, here) && sameJSON(theirs.body, here.body) && theirs.body != here.body &&
				!strings.ContainsAny(here.body, "<>&\n") && strings.Contains(theirs.body, "\n\t\"QUERY_STRING\": ")
		},
	}
	spaces = &divergence{
		what:   "listing: JSON",
		theirs: "a space behind `:` and `,`",
		here:   "none",
		reason: "`encoding/json`'s way; whoever reads JSON sees no difference",
		shows: func(theirs, here packageReply) bool {
			return sameHead(theirs, here) && sameJSON(theirs.body, here.body) && theirs.body != here.body &&
				strings.Count(theirs.body, "\n") == strings.Count(here.body, "\n")
		},
	}
	separators = &divergence{
		what:   "U+2028 and U+2029 in JSON",
		theirs: "as they are",
		here:   "`\\u2028`, `\\u2029`",
		reason: "`encoding/json` escapes them always, since JavaScript took them for ends of lines until 2019",
		shows: func(theirs, here packageReply) bool {
			return layout.shows(theirs, here) && strings.Contains(theirs.body, "\u2028") && strings.Contains(here.body, `\u2028`)
		},
	}
	errorText = &divergence{
		what:   "the body of an error without data",
		theirs: "`404 Not Found` and CRLF",
		here:   "`Not Found` and LF",
		reason: "the status has the number already, and the line ends as those of `http.Error` do",
		shows: func(theirs, here packageReply) bool {
			return sameHead(theirs, here) && here.status == 404 && theirs.body == "404 Not Found\r\n" && here.body == "Not Found\n"
		},
	}
	lowerCase = &divergence{
		what:   "a parameter `app_stage`",
		theirs: "is `APP_STAGE`",
		here:   "is `app_stage`; `Params.Environ` has it in upper case",
		reason: "names are as the web server sends them: two that differ in case are two",
		shows: func(theirs, here packageReply) bool {
			differ := !sameJSON(theirs.body, here.body)
			theirs.body = strings.Replace(theirs.body, "APP_STAGE", "app_stage", 1)
			return differ && layout.shows(theirs, here)
		},
	}
	notUTF8 = &divergence{
		what:   "a parameter that is not UTF-8",
		theirs: "502: the handler does not run",
		here:   "200: the handler has the bytes; in JSON each wrong one is `\\ufffd`",
		reason: "any client can send one, and it is no fault of the application",
		shows: func(theirs, here packageReply) bool {
			return theirs.status == 502 && here.status == 200 && strings.Contains(here.body, `gr\ufffd\ufffde`)
		},
	}
	unreadBody = &divergence{
		what:   "1 MiB of body that the handler does not read",
		theirs: "200, whole or without its body, or 502: the connection is closed while the web server still sends",
		here:   "200",
		reason: "the rest of a body is taken, so that the answer arrives",
		shows: func(theirs, here packageReply) bool {
			return here.status == 200 && strings.Contains(here.body, `"CONTENT_LENGTH":"1048576"`) &&
				(theirs.status != 200 || theirs.body == "" || layout.shows(theirs, here))
		},
	}
	wayOut = &divergence{
		what:   "listing: a path that leads out of DOCUMENT_ROOT, by `..` or a link, or a link that is absolute",
		theirs: "lists what is there",
		here:   "404",
		reason: "anybody could list the whole machine: `os.Root` has an end at the root",
		shows: func(theirs, here packageReply) bool {
			return theirs.status == 200 && here.status == 404 && here.body == "Not Found\n"
		},
	}
	linksOut = &divergence{
		what:   "listing: an entry that is a link out of DOCUMENT_ROOT",
		theirs: "type, size and mtime of what is there",
		here:   "its name only, as both do for what cannot be looked at",
		reason: "what is outside is not to be told of",
		shows: func(theirs, here packageReply) bool {
			about := regexp.MustCompile(`("name": "(up|absolute|out to a file)"), [^}]*"mtime": \d+}`)
			theirs.body = about.ReplaceAllString(theirs.body, "$1}")
			return spaces.shows(theirs, here) && strings.Contains(here.body, `{"name":"out to a file"}`+"\n")
		},
	}
	namesNotUTF8 = &divergence{
		what:   "listing: a file name that is not UTF-8",
		theirs: "the list breaks off, with the header of a 404 in it",
		here:   "each wrong byte is `\\ufffd`",
		reason: "one file does not hide the others",
		shows: func(theirs, here packageReply) bool {
			return sameHead(theirs, here) && strings.HasPrefix(theirs.body, "Status: 404 Not Found\r\n") &&
				strings.HasPrefix(here.body, `{"name":"gr\ufffdn","type":"file"`)
		},
	}
	rounding = &divergence{
		what:   "listing: mtime of a file that was written a nanosecond before the second",
		theirs: "the next second, 1777464001000",
		here:   "1777464000999",
		reason: "a float has no room for nanoseconds; it meets one file in ten thousand",
		shows: func(theirs, here packageReply) bool {
			rounded := strings.Contains(theirs.body, " 1777464001000}")
			theirs.body = strings.Replace(theirs.body, " 1777464001000}", " 1777464000999}", 1)
			return rounded && spaces.shows(theirs, here)
		},
	}
	semicolon = &divergence{
		what:   "listing: `?path=semi;colon`, not encoded",
		theirs: "`semi;colon`",
		here:   "404",
		reason: "`net/url` takes no pair with a bare `;`, which caches and applications split in different ways; `%3B` works",
		shows:  func(theirs, here packageReply) bool { return theirs.status == 200 && here.status == 404 },
	}
)

// sameJSON reports whether two sequences of JSON values are the same but for how they are written: names in the same
// order, too.
func sameJSON(a, b string) bool {
	x, err := jsonTokens(a)
	y, err2 := jsonTokens(b)
	return err == nil && err2 == nil && slices.Equal(x, y)
}

func jsonTokens(text string) (tokens []json.Token, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return tokens, nil
		}
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
}

const (
	packagePage      = "../docs/from-simple-fastcgi.md"
	packagePageBegin = "<!-- What follows is written by: go test ./interop -run TestSimpleFastCGIPage -update -->\n"
	packagePageEnd   = "<!-- End of what is written -->\n"
)

// The page has the differences that the test knows, the version that is compared, and the function that is tried.
func TestSimpleFastCGIPage(t *testing.T) {
	t.Parallel()
	text := readFile(t, packagePage)
	before, rest, hasBegin := strings.Cut(text, packagePageBegin)
	_, after, hasEnd := strings.Cut(rest, packagePageEnd)
	if !hasBegin || !hasEnd {
		t.Fatalf("%s has no place for the table", packagePage)
	}
	var table strings.Builder
	table.WriteString("\n| | simple_fastcgi | here | because |\n|---|---|---|---|\n")
	for _, d := range divergences {
		fmt.Fprintf(&table, "| %s | %s | %s | %s |\n", d.what, d.theirs, d.here, d.reason)
	}
	want := before + packagePageBegin + table.String() + "\n" + packagePageEnd + after
	switch {
	case want == text:
	case *updatePage:
		if err := os.WriteFile(packagePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s does not have the differences as they are: -update writes them", packagePage)
	}
	if !strings.Contains(text, "simple_fastcgi` "+packageVersion) {
		t.Errorf("%s does not name version %s", packagePage, packageVersion)
	}
	function := regexp.MustCompile(`(?ms)^func echoAsPackage\(.*?^}\n`).FindString(readFile(t, "simplefastcgi_test.go"))
	if function == "" || !strings.Contains(text, "```go\n"+function+"```\n") {
		t.Errorf("%s does not print echoAsPackage as it is", packagePage)
	}
}
