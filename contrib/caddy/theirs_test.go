package caddyfcgi_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	// What their tests import, for it to be in go.mod.
	_ "github.com/stretchr/testify/assert"
	_ "github.com/stretchr/testify/require"
)

// theirTests are the files of Caddy's tests of its transport that can be pointed at ours, and what its
// tests' applications stand on. docs/caddy-module.md says of the others why they cannot.
var theirTests = []string{
	"fastcgi_test.go", "incremental_test.go", "redirect_test.go", "request_trailers_test.go", "responselength_test.go",
	"client.go", "header.go", "pool.go", "reader.go", "record.go", "writer.go",
}

// theirNames makes of Caddy's names those that do not clash with ours.
var theirNames = []struct {
	expression *regexp.Regexp
	name       string
}{
	{regexp.MustCompile(`(?m)^package fastcgi$`), "package caddyfcgi"},
	{regexp.MustCompile(`\bclient\b`), "theirClient"},
	{regexp.MustCompile(`\(?\bTransport\{\}\)?\.`), "new(Transport)."},
	{regexp.MustCompile(`"protocol": "fastcgi"`), `"protocol": "fcgi"`},
	{regexp.MustCompile(`"protocol", "fastcgi"`), `"protocol", "fcgi"`},
	// A response has one of Content-Type, Location and Status, by RFC 3875.
	{regexp.MustCompile(`"(Content-Length: [^"]*\\r\\n\\r\\n)`), `"Content-Type: a/b\r\n$1`},
	{regexp.MustCompile(`func fcgiRequest\(`), "func theirRequest("}, // which calls their client by itself
}

// theirReasons are the tests of which we do otherwise, or say it in other words, and why.
var theirReasons = map[string]string{
	"^TestHeaderNameReplacer$":                                          "it is of a variable that we do not have",
	"^TestIncrementalUnbufferedRequestWithUnknownLength$":               "a body of unknown length is collected, not refused with 411",
	"^TestRoundTripDialError$":                                          "the error begins with other words",
	"^TestResponseBody$/^exact,_then_the_read_timeout$":                 "a body that is complete waits for nothing more",
	"^TestResponseBody$/^(exact|excessive),_then_stderr":                "STDERR is logged once the request is over, behind the response",
	"^TestResponseBody$/^zero_length$":                                  "bytes too many are logged in other words",
	"^TestResponseSurplusIsBounded$/^(flood|trickle)":                   "bytes too many are logged in other words",
	"^TestProxyResponseBody$/^HTTP$/./^excessive$":                      "bytes too many are logged in other words",
	"^TestResponseBody$/^(invalid_length|negative_length|chunked|1xx)$": "such a response is refused, with status 502",
	"^TestResponseBody$/^(HEAD|204|304)$":                               "a response that can have no body has none",
}

// Caddy's own tests of its transport, against ours. They are taken out of Caddy's module and compiled into a
// copy of this package that exists only for the go command.
func TestTheirs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("compiling this package once more is not short")
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/caddyserver/caddy/v2").Output()
	if err != nil {
		t.Fatal(err)
	}
	from := filepath.Join(strings.TrimSpace(string(out)), "modules/caddyhttp/reverseproxy/fastcgi")
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	overlay := map[string]string{filepath.Join(here, "theirs_stands_test.go"): filepath.Join(here, "testdata/theirs/stands.go")}
	ours, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range ours {
		overlay[filepath.Join(here, name)] = "" // not there
	}
	for _, name := range theirTests {
		text, err := os.ReadFile(filepath.Join(from, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range theirNames {
			text = n.expression.ReplaceAll(text, []byte(n.name))
		}
		file := filepath.Join(to, name)
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		overlay[filepath.Join(here, "theirs_"+strings.TrimSuffix(strings.TrimSuffix(name, ".go"), "_test")+"_test.go")] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(to, "overlay.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	var skip []string
	for name := range theirReasons {
		skip = append(skip, name)
	}
	cmd := exec.Command("go", "test", "-overlay", file, "-vet=off", "-count=1", "-v", "-skip", strings.Join(skip, "|"), ".")
	result, err := cmd.CombinedOutput()
	passed := regexp.MustCompile(`(?m)^--- PASS: (\S+)`).FindAllSubmatch(result, -1)
	for _, p := range passed {
		t.Logf("passes: %s", p[1])
	}
	if err != nil || len(passed) < 10 {
		t.Errorf("%s: %v\n%s", cmd, err, result)
	}
}
