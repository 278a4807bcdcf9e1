package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

// quiet keeps the stacks of the panics that are asked for out of the tests'
// output.
var quiet = slog.New(slog.DiscardHandler)

const (
	text   = "Content-Type: text/plain; charset=utf-8"
	binary = "Content-Type: application/octet-stream"
)

// A taskTest is a request and its answer, the same in all modes but for onHTTP.
type taskTest struct {
	query  string
	stdin  string
	params []client.Pair

	header    []string // beside Status: 200 OK
	status    string   // if it is not 200 OK
	body      string
	stderr    string
	appStatus uint32
	onHTTP    string // the status in http mode, if that differs
}

func length(n int) []client.Pair {
	return []client.Pair{{Name: "CONTENT_LENGTH", Value: strconv.Itoa(n)}, {Name: "REQUEST_METHOD", Value: "POST"}}
}

func sum(s string) string { return fmt.Sprintf("%x %d\n", sha256.Sum256([]byte(s)), len(s)) }

func mod251(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i % 251)
	}
	return string(b)
}

func mistake(query, says string) taskTest {
	return taskTest{query: query, status: "400 Bad Request", header: []string{text}, body: says + "\n"}
}

var long = strings.Repeat("0123456789abcdef", 1<<16)

var taskTests = []taskTest{
	{query: "do=echo", header: []string{binary}},
	{query: "do=echo", stdin: "again", params: length(5), header: []string{binary}, body: "again"},
	{query: "do=echo", stdin: "of unknown length", header: []string{binary}, body: "of unknown length"},
	{query: "do=echo", stdin: long, params: length(len(long)), header: []string{binary}, body: long},
	{query: "do=echo", stdin: "too much", params: length(3), header: []string{binary}, body: "too"}, // A40
	{query: "do=echo", stdin: "short", params: length(9), header: []string{binary}, body: "short"},
	{query: "do=digest", header: []string{text}, body: sum("")},
	{query: "do=digest", stdin: "abc", params: length(3), header: []string{text}, body: sum("abc")},
	{query: "do=digest", stdin: "abc", header: []string{text}, body: sum("abc")},
	{query: "do=digest", stdin: long, params: length(len(long)), header: []string{text}, body: sum(long)},
	{query: "do=digest", stdin: "abcdef", params: length(3), header: []string{text}, body: sum("abc")}, // A40
	{query: "do=digest", stdin: "ab", params: length(3), status: "400 Bad Request", header: []string{text}, body: "Bad Request\n"},
	{query: "do=digest", params: length(3), status: "400 Bad Request", header: []string{text}, body: "Bad Request\n"},
	{query: "do=bytes&n=0", header: []string{binary, "Content-Length: 0"}},
	{query: "do=bytes", header: []string{binary, "Content-Length: 0"}},
	{query: "do=bytes&n=1", header: []string{binary, "Content-Length: 1"}, body: "\x00"},
	{query: "do=bytes&n=252", header: []string{binary, "Content-Length: 252"}, body: mod251(252)},
	{query: "do=bytes&n=1000000", header: []string{binary, "Content-Length: 1000000"}, body: mod251(1000000)},
	{query: "do=stream&n=0&ms=10", header: []string{text}},
	{query: "do=stream&n=1&ms=100000000", header: []string{text}, body: "chunk 0\n"},
	{query: "do=stream&n=3&ms=1", header: []string{text}, body: "chunk 0\nchunk 1\nchunk 2\n"},
	{query: "do=sleep&ms=0", header: []string{text}, body: "slept\n"},
	{query: "do=sleep&ms=20", header: []string{text}, body: "slept\n"},
	{query: "do=aborts", header: []string{text}, body: "0\n"},
	{query: "do=ignore", stdin: long, params: length(len(long)), header: []string{text}, body: "ignored\n"},
	{query: "do=status&code=200", header: []string{text}, body: "OK\n"},
	{query: "do=status&code=201", status: "201 Created", header: []string{text}, body: "Created\n"},
	{query: "do=status&code=204", status: "204 No Content"},
	{query: "do=status&code=304", status: "304 Not Modified"},
	{query: "do=status&code=404", status: "404 Not Found", header: []string{text}, body: "Not Found\n"},
	{query: "do=status&code=503", status: "503 Service Unavailable", header: []string{text}, body: "Service Unavailable\n"},
	{query: "do=status&code=799", status: "799", header: []string{text}, body: "799\n"},
	{query: "do=redirect&to=https%3A%2F%2Fexample.org%2Fa%3Fb", status: "302 Found", header: []string{"Location: https://example.org/a?b"}},
	{query: "do=redirect&to=/local", status: "none", onHTTP: "302 Found", header: []string{"Location: /local"}},
	{query: "do=stderr&text=a%0Ab", header: []string{text}, body: "ok\n", stderr: "a\nb"},
	{query: "do=stderr", header: []string{text}, body: "ok\n"},
	{query: "do=exit&code=0", header: []string{text}, body: "ok\n"},
	{query: "do=exit&code=938", header: []string{text}, body: "ok\n", appStatus: 938},
	{query: "do=exit&code=4294967295", header: []string{text}, body: "ok\n", appStatus: 1<<32 - 1}, // A36
	// F4.
	{
		query: "do=panic&when=before", status: "500 Internal Server Error", header: []string{text}, body: "Internal Server Error\n",
		stderr: "fastcgi: handler panicked: the probe was asked to panic before its answer\n", appStatus: 2,
	},
	{
		query: "do=panic&when=after", header: []string{text}, body: "partial\n",
		stderr: "fastcgi: handler panicked: the probe was asked to panic after its answer\n", appStatus: 2,
	},

	mistake("do=dance", `do is none of the probe's tasks: "dance"`),
	mistake("do=bytes&n=-1", `n is not a number from 0 to 9223372036854775807: "-1"`),
	mistake("do=bytes&n=9223372036854775808", `n is not a number from 0 to 9223372036854775807: "9223372036854775808"`),
	mistake("do=sleep&ms=4294967296", `ms is not a number from 0 to 4294967295: "4294967296"`),
	mistake("do=exit&code=4294967296", `code is not a number from 0 to 4294967295: "4294967296"`),
	mistake("do=exit&code=", `code is not a number from 0 to 4294967295: ""`),
	mistake("do=status", "code is not the status of a response: 0"),
	mistake("do=status&code=100", "code is not the status of a response: 100"),
	mistake("do=status&code=1000", "code is not the status of a response: 1000"),
	mistake("do=panic", `when is neither before nor after: ""`),
	mistake("do=redirect&to=//host", `fastcgi: redirect target "//host" has a host but no scheme`),
	mistake("do=%zz", `invalid URL escape "%zz"`),
}

func TestTasks(t *testing.T) {
	everyWay(t, func(t *testing.T, mode string, _ *fastcgi.Server, f *front.Front) {
		for _, tt := range taskTests {
			req := front.Get(tt.query, tt.params...)
			req.Stdin = strings.NewReader(tt.stdin)
			got := f.Do(t, req)
			if mode == "http" {
				got.Stdout = withoutHTTP(got.Stdout, slices.ContainsFunc(tt.header, isLength))
			}
			if want := tt.answer(mode); got != want {
				t.Errorf("%s (%d bytes of body): the answer is\n%.500q, not\n%.500q", tt.query, len(tt.stdin), got, want)
			}
		}
	})
}

// answer is the answer that a test wants.
func (tt taskTest) answer(mode string) front.Answer {
	status := tt.status
	switch {
	case mode == "http" && tt.onHTTP != "":
		status = tt.onHTTP
	case status == "":
		status = "200 OK"
	}
	lines := slices.Concat([]string{"Status: " + status}, tt.header)
	switch {
	case status == "none":
		lines = tt.header
	case len(tt.header) > 0 && strings.HasPrefix(tt.header[0], "Location"):
		slices.Reverse(lines) // Location comes first
	}
	if mode == "http" {
		slices.Sort(lines)
	}
	return front.Answer{
		Stdout:    strings.Join(lines, "\r\n") + "\r\n\r\n" + tt.body,
		Stderr:    tt.stderr,
		AppStatus: tt.appStatus,
	}
}

// withoutHTTP sorts the header of an answer and leaves out what net/http's
// customs add to it.
func withoutHTTP(stdout string, keepLength bool) string {
	header, body, _ := strings.Cut(stdout, "\r\n\r\n")
	lines := slices.DeleteFunc(strings.Split(header, "\r\n"), func(line string) bool {
		return strings.HasPrefix(line, "Date: ") || strings.HasPrefix(line, "X-Content-Type-Options: ") ||
			!keepLength && strings.HasPrefix(line, "Content-Length: ")
	})
	slices.Sort(lines)
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// The parameters are all there, in JSON, also those that are no CGI variables.
func TestParams(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		for _, query := range []string{"", "do=params", "do=params&x=" + url.QueryEscape(`<"é">`)} {
			req := front.Get(query, client.Pair{Name: "HTTP_X"}, client.Pair{Name: "odd name", Value: "a\nb\xffc"})
			got := f.Do(t, req)
			var body map[string]string
			if err := json.Unmarshal([]byte(got.Body()), &body); err != nil {
				t.Fatalf("%s: the body is %s: %v", query, got.Body(), err)
			}
			want := map[string]string{"odd name": "a\nb\ufffdc"} // JSON is UTF-8
			for _, p := range req.Params[:len(req.Params)-1] {
				want[p.Name] = p.Value
			}
			if !maps.Equal(body, want) || !strings.Contains(got.Header(), "Content-Type: application/json") {
				t.Errorf("%s: the answer is %s", query, got.Stdout)
			}
		}
	})
}

func isLength(line string) bool { return strings.HasPrefix(line, "Content-Length: ") }
