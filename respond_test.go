package fastcgi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"html/template"
	"io"
	"iter"
	"math"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// A recorder is a ResponseWriter that keeps what is written. Flushes show as
// "|".
type recorder struct {
	bytes.Buffer
	stderr bytes.Buffer
	status uint32
	full   error // what Write returns
}

func (r *recorder) Write(p []byte) (int, error) {
	if r.full != nil {
		return 0, r.full
	}
	return r.Buffer.Write(p)
}

func (r *recorder) Flush() error { r.WriteByte('|'); return nil }

func (r *recorder) Stderr() io.Writer { return &r.stderr }

func (r *recorder) SetAppStatus(status uint32) { r.status = status }

func TestSendResponse(t *testing.T) {
	sequence := func(yield func(string) bool) { _ = yield("a") && yield("b") }
	for _, test := range []struct {
		name     string
		code     int
		mimeType string
		data     any
		headers  []fastcgi.Pair
		want     string
	}{
		{"string", 200, "text/plain", "hé", nil, "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhé"},
		{"bytes", 200, "application/octet-stream", []byte{0, 1}, nil, "Status: 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n\x00\x01"},
		{"charset kept", 200, "text/html; charset=latin1", "x", nil, "Status: 200 OK\r\nContent-Type: text/html; charset=latin1\r\n\r\nx"},
		{"type in capitals", 200, "Text/HTML; Charset=latin1", "x", nil, "Status: 200 OK\r\nContent-Type: Text/HTML; Charset=latin1\r\n\r\nx"},
		{"type in capitals without a charset", 200, "TEXT/HTML", "x", nil, "Status: 200 OK\r\nContent-Type: TEXT/HTML; charset=utf-8\r\n\r\nx"},
		{"JSON in capitals", 200, "Application/JSON", 1, nil, "Status: 200 OK\r\nContent-Type: Application/JSON\r\n\r\n1"},
		{"length", 200, "", "x", []fastcgi.Pair{{Name: "Content-Length", Value: "1"}}, "Status: 200 OK\r\nContent-Length: 1\r\n\r\nx"},
		{"no type", 204, "", nil, nil, "Status: 204 No Content\r\n\r\n"},
		{"error code without data", 404, "text/plain", nil, nil, "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nNot Found\n"},
		{"error code with data", 404, "text/plain", "gone", nil, "Status: 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ngone"},
		{"code without a name", 299, "text/plain", "", nil, "Status: 299\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"},
		{"error code without data or name", 799, "", nil, nil, "Status: 799\r\n\r\n799\n"},
		{"JSON", 200, "application/json", map[string]int{"a": 1}, nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"a\":1}"},
		{"JSON suffix", 200, "application/problem+json", []int{1}, nil, "Status: 200 OK\r\nContent-Type: application/problem+json\r\n\r\n[1]"},
		{"JSON text as it is", 200, "application/json", `{"b":2}`, nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"b\":2}"},
		{"headers", 200, "", nil, []fastcgi.Pair{{Name: "X-A", Value: "1"}, {Name: "X-A", Value: "2"}}, "Status: 200 OK\r\nX-A: 1\r\nX-A: 2\r\n\r\n"},
		{"sequence of strings", 200, "", iter.Seq[string](sequence), nil, "Status: 200 OK\r\n\r\na|b|"},
		{"function of strings", 200, "", sequence, nil, "Status: 200 OK\r\n\r\na|b|"},
		{"sequence of bytes", 200, "", iter.Seq[[]byte](func(yield func([]byte) bool) { yield([]byte("c")) }), nil, "Status: 200 OK\r\n\r\nc|"},
		{"reader", 200, "", strings.NewReader("from a reader"), nil, "Status: 200 OK\r\n\r\nfrom a reader|"},
		{"string of a named type", 200, "text/html", template.HTML("<p>"), nil, "Status: 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>"},
		{"named string as JSON text", 200, "application/json", named(`{"b":2}`), nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"b\":2}"},
		{"raw JSON", 200, "application/json", json.RawMessage(`{"b": "<"}`), nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n{\"b\": \"<\"}"},
		{"raw JSON as something else", 200, "", json.RawMessage("1"), nil, "Status: 200 OK\r\n\r\n1"},
		{"bytes with a JSON form", 200, "application/json", net.IPv4(1, 2, 3, 4), nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n\"1.2.3.4\""},
		{"bytes of a named type", 200, "", namedBytes("x"), nil, "Status: 200 OK\r\n\r\nx"},
		{"no bytes of a named type", 200, "", namedBytes(nil), nil, "Status: 200 OK\r\n\r\n"},
		{"slice of named bytes", 200, "", []namedByte("x"), nil, "Status: 200 OK\r\n\r\nx"},
		{"sequence of named strings", 200, "", slices.Values([]named{"a", "b"}), nil, "Status: 200 OK\r\n\r\na|b|"},
		{"sequence of named bytes", 200, "application/json", slices.Values([]json.RawMessage{[]byte("1"), []byte("2")}), nil, "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n1|2|"},
		{"named sequence", 200, "", namedSequence(sequence), nil, "Status: 200 OK\r\n\r\na|b|"},
		{"101", 101, "", nil, []fastcgi.Pair{{Name: "Upgrade", Value: "x"}}, "Status: 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
		{"W21 error code without data, of no type", 404, "", nil, nil, "Status: 404 Not Found\r\n\r\nNot Found\n"},
		{"W21 error code without data, of a type with parameters", 404, "Text/Plain ;charset=utf-8", nil, nil, "Status: 404 Not Found\r\nContent-Type: Text/Plain ;charset=utf-8\r\n\r\nNot Found\n"},
		{"W21 error code without data, as JSON", 404, "application/json", nil, nil, "Status: 404 Not Found\r\nContent-Type: application/json\r\n\r\n"},
		{"W21 error code without data, as HTML", 404, "text/html", nil, nil, "Status: 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"},
		{"W21 413", 413, "", nil, nil, "Status: 413 Content Too Large\r\n\r\nContent Too Large\n"},
		{"W21 414", 414, "", nil, nil, "Status: 414 URI Too Long\r\n\r\nURI Too Long\n"},
		{"W21 416", 416, "", nil, nil, "Status: 416 Range Not Satisfiable\r\n\r\nRange Not Satisfiable\n"},
		{"W21 422", 422, "", nil, nil, "Status: 422 Unprocessable Content\r\n\r\nUnprocessable Content\n"},
		{
			"W1 Location comes first", 201, "text/plain", "x",
			[]fastcgi.Pair{{Name: "A", Value: "1"}, {Name: "location", Value: "/x"}, {Name: "B", Value: "2"}},
			"location: /x\r\nStatus: 201 Created\r\nContent-Type: text/plain; charset=utf-8\r\nA: 1\r\nB: 2\r\n\r\nx",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			var w recorder
			if err := fastcgi.SendResponse(&w, test.code, test.mimeType, test.data, test.headers...); err != nil {
				t.Fatal(err)
			}
			if w.String() != test.want {
				t.Errorf("got  %q\nwant %q", w.String(), test.want)
			}
		})
	}
}

type (
	named         string
	namedByte     byte
	namedBytes    []byte
	namedSequence func(yield func(string) bool)
)

func TestSendResponseRefuses(t *testing.T) {
	header := func(name, value string) []fastcgi.Pair { return []fastcgi.Pair{{Name: name, Value: value}} }
	for _, test := range []struct {
		name     string
		code     int
		mimeType string
		data     any
		headers  []fastcgi.Pair
	}{
		{"code too small", 99, "", nil, nil},
		{"code too large", 1000, "", nil, nil},
		{"CR in a value", 200, "", nil, header("X", "a\rb")},
		{"LF in a value", 200, "", nil, header("X", "a\nSet-Cookie: b")},
		{"NUL in a value", 200, "", nil, header("X", "a\x00b")},
		{"LF in a name", 200, "", nil, header("X\nY", "a")},
		{"colon in a name", 200, "", nil, header("X:", "a")},
		{"empty name", 200, "", nil, header("", "a")},
		{"CRLF in the type", 200, "text/plain\r\nX: y", nil, nil},
		{"100", 100, "", nil, nil},
		{"199", 199, "", nil, nil},
		{"102", 102, "", nil, nil},
		{"no code", 0, "", nil, nil},
		{"Status", 200, "", nil, header("sTatus", "201 Created")},
		{"second Content-Type", 200, "text/plain", nil, header("content-type", "text/html")},
		{"two Content-Types", 200, "", nil, append(header("Content-Type", "a/b"), header("CONTENT-TYPE", "a/b")...)},
		{"two Locations", 302, "", nil, append(header("Location", "/"), header("location", "/")...)},
		{"two Content-Lengths", 200, "", nil, append(header("Content-Length", "1"), header("content-length", "2")...)},
		{"Content-Length that is no number", 200, "", nil, header("Content-Length", "ten")},
		{"Content-Length below zero", 200, "", nil, header("content-length", "-1")},
		{"empty Content-Length", 200, "", nil, header("Content-Length", "")},
		{"Content-Length beyond all numbers", 200, "", nil, header("Content-Length", "9223372036854775808")},
		{"Transfer-Encoding", 200, "", nil, header("transfer-encoding", "chunked")},
		{"Stringer", 200, "text/plain", time.Second, nil},
		{"error", 200, "text/plain", io.EOF, nil},
		{"no sequence", 200, "", iter.Seq[string](nil), nil},
		{"no named sequence", 200, "", namedSequence(nil), nil},
		{"sequence of something else", 200, "", slices.Values([]int{1}), nil},
		{"sequence of something else, as JSON", 200, "application/json", slices.Values([]int{1}), nil},
		{"value that is no text", 200, "text/plain", 42, nil},
		{"value that is no JSON", 200, "application/json", math.NaN(), nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			var w recorder
			if err := fastcgi.SendResponse(&w, test.code, test.mimeType, test.data, test.headers...); err == nil {
				t.Errorf("no error; wrote %q", w.String())
			}
			if w.Len() > 0 {
				t.Errorf("wrote %q before the error", w.String())
			}
		})
	}
}

// closer counts how often it is closed.
type closer struct {
	io.Reader
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

func TestSendResponseClosesReader(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name   string
		reader io.Reader
		w      recorder
		want   error
	}{
		{"at the end", strings.NewReader("x"), recorder{}, nil},
		{"after a read error", io.MultiReader(strings.NewReader("x"), errorReader{broken}), recorder{}, broken},
		{"if nothing can be written", strings.NewReader("x"), recorder{full: broken}, broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := &closer{Reader: test.reader}
			if err := fastcgi.SendResponse(&test.w, 200, "", c); !errors.Is(err, test.want) {
				t.Errorf("error is %v, want %v", err, test.want)
			}
			if c.closed != 1 {
				t.Errorf("closed %d times", c.closed)
			}
		})
	}
}

// A response that is refused closes what it would have sent.
func TestSendResponseRefusedClosesReader(t *testing.T) {
	var w recorder
	c := &closer{Reader: strings.NewReader("x")}
	if err := fastcgi.SendResponse(&w, 0, "", c); err == nil || c.closed != 1 {
		t.Errorf("error is %v, closed %d times", err, c.closed)
	}
}

type errorReader struct{ err error }

func (r errorReader) Read([]byte) (int, error) { return 0, r.err }

func TestDecision(t *testing.T) {
	pair := func(name, value string) fastcgi.Pair { return fastcgi.Pair{Name: name, Value: value} }
	for _, test := range []struct {
		name     string
		decision fastcgi.Decision
		want     string
	}{
		{"zero", fastcgi.Decision{}, "Status: 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nForbidden\n"},
		{"allow", fastcgi.Allow(), "Status: 200 OK\r\n\r\n"},
		{"allow with variables", fastcgi.Allow(pair("AUTH_USER", "joe")), "Status: 200 OK\r\nVariable-AUTH_USER: joe\r\n\r\n"},
		{
			"deny", fastcgi.Deny(401, "text/plain", "who?\n", pair("WWW-Authenticate", "Basic")),
			"Status: 401 Unauthorized\r\nContent-Type: text/plain; charset=utf-8\r\nWWW-Authenticate: Basic\r\n\r\nwho?\n",
		},
	} {
		var w recorder
		if err := test.decision.Send(&w); err != nil || w.String() != test.want {
			t.Errorf("%s: wrote %q, error %v, want %q", test.name, w.String(), err, test.want)
		}
	}
}

// A Deny with a code that lets the request pass fails, and so does what nothing can be sent with.
func TestDecisionRefuses(t *testing.T) {
	for code, sent := range map[int]bool{101: true, 199: false, 200: false, 204: false, 299: false, 300: true, 302: true, 401: true, 500: true, 1000: false} {
		var w recorder
		err := fastcgi.Deny(code, "", "no").Send(&w)
		if (err == nil) != sent || (w.Len() > 0) != sent {
			t.Errorf("%d: wrote %q, error %v", code, w.String(), err)
		}
	}
	var w recorder
	if err := fastcgi.Allow(fastcgi.Pair{Name: "A B", Value: "x"}).Send(&w); err == nil || w.Len() > 0 {
		t.Errorf("a name with a space: wrote %q, error %v", w.String(), err)
	}
}

func TestParams(t *testing.T) {
	pair := func(name, value string) fastcgi.Pair { return fastcgi.Pair{Name: name, Value: value} }
	long := strings.Repeat("v", 200)
	p := fastcgi.NewParams(pair("B", "1"), pair("A", ""), pair("B", long), pair("", "empty name"))
	if got := p.Len(); got != 4 {
		t.Errorf("Len = %d, want 4", got)
	}
	// A22: the last of equal names counts.
	if got := p.Get("B"); got != long {
		t.Errorf("Get(B) = %q, want the last value", got)
	}
	for name, want := range map[string]bool{"A": true, "": true, "C": false, "b": false} {
		if _, ok := p.Lookup(name); ok != want {
			t.Errorf("Lookup(%q) = %v, want %v", name, ok, want)
		}
	}
	var names []string
	for name := range p.All() {
		names = append(names, name)
		if len(names) == 3 {
			break
		}
	}
	if got := strings.Join(names, ","); got != "B,A,B" {
		t.Errorf("All yields %s, want B,A,B", got)
	}
	b, err := json.Marshal(p)
	if want := `{"B":"` + long + `","A":"","":"empty name"}`; err != nil || string(b) != want {
		t.Errorf("JSON is %s, %v, want %s", b, err, want)
	}
	for _, escape := range []bool{true, false} {
		markup := fastcgi.NewParams(pair("<A>", "a&b"))
		var b strings.Builder
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(escape)
		err := enc.Encode(markup)
		want := map[bool]string{true: `{"\u003cA\u003e":"a\u0026b"}`, false: `{"<A>":"a&b"}`}[escape] + "\n"
		if err != nil || b.String() != want {
			t.Errorf("JSON is %s, %v, want %s", b.String(), err, want)
		}
	}
	if got := p.Map(); len(got) != 3 || got["B"] != long {
		t.Errorf("Map = %v", got)
	}
	env := fastcgi.NewParams(pair("path", "x"))
	if got := env.Environ(); len(got) != 1 || got[0] != "PATH=x" {
		t.Errorf("Environ = %q", got)
	}
	var none fastcgi.Params
	if none.Len() != 0 || none.Get("A") != "" {
		t.Error("the zero Params are not empty")
	}
}
