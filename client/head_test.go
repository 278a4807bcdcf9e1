package client_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/simple-fastcgi/fastcgi/client"
)

var headTests = []struct {
	text     string
	status   int
	code     int
	length   int64 // -2: no number
	location string
	local    bool
	names    []string // of what is left without hop-by-hop fields
	body     string
}{
	{text: "Content-Type: a/b\n\nbody", code: 200, length: -1, names: []string{"Content-Type"}, body: "body"},
	{text: "status: 404 Not here\r\n\r\n", status: 404, code: 404, length: -1},
	{text: "Location: /x\nContent-Length: 3\n\nabc", code: 302, length: 3, location: "/x", local: true, names: []string{"Content-Length", "Location"}, body: "abc"},
	{text: "Location: //h/x\n\n", code: 302, length: -1, location: "//h/x", names: []string{"Location"}},
	{text: "Location: http://h/x\n\n", code: 302, length: -1, location: "http://h/x", names: []string{"Location"}},
	{text: "Status: 201\nLocation: /x\n\n", status: 201, code: 201, length: -1, location: "/x", names: []string{"Location"}},
	{text: "Status: 200\nContent-Length: -3\n\n", status: 200, code: 200, length: -2, names: []string{"Content-Length"}},
	{text: "Status: 200\nContent-Length: 9223372036854775808\n\n", status: 200, code: 200, length: -2, names: []string{"Content-Length"}},
	{text: "Status: 200\nContent-Length: 9223372036854775807\n\n", status: 200, code: 200, length: 1<<63 - 1, names: []string{"Content-Length"}},
	{text: "Status: 200\nConnection: x-a, close\nConnection: X-B\nX-A: 1\nX-B: 1\nX-C: 1\nTe: x\nUpgrade: y\n\n", status: 200, code: 200, length: -1, names: []string{"X-C"}},
}

// A head is the same however it arrives, and so is what follows.
func TestReadHead(t *testing.T) {
	for _, tt := range headTests {
		for name, r := range map[string]io.Reader{
			"whole":         strings.NewReader(tt.text),
			"with its end":  iotest.DataErrReader(strings.NewReader(tt.text)),
			"byte by byte":  iotest.OneByteReader(strings.NewReader(tt.text)),
			"half by half":  iotest.HalfReader(strings.NewReader(tt.text)),
			"nothing first": io.MultiReader(&nothing{}, strings.NewReader(tt.text)),
		} {
			head, body, err := client.ReadHead(r)
			if err != nil {
				t.Errorf("%s: %q: %v", name, tt.text, err)
				continue
			}
			n, last := body.Buffered()
			if name == "with its end" && (n != len(tt.body) || !last) {
				t.Errorf("%q: %d bytes buffered, last: %v", tt.text, n, last)
			}
			length, err := head.ContentLength()
			if err != nil {
				length = -2
			}
			location, local := head.LocalRedirect()
			if head.Status != tt.status || head.StatusCode() != tt.code || length != tt.length || location != tt.location || local != tt.local {
				t.Errorf("%s: %q: %+v, length %d, location %q, local %v", name, tt.text, head, length, location, local)
			}
			head.RemoveHopByHop()
			if names := slices.Sorted(maps.Keys(head.Header)); !slices.Equal(names, tt.names) {
				t.Errorf("%s: %q: fields %v", name, tt.text, names)
			}
			if got, err := io.ReadAll(body); string(got) != tt.body || err != nil {
				t.Errorf("%s: %q: body %q, %v", name, tt.text, got, err)
			}
		}
	}
}

// nothing reads nothing, once.
type nothing struct{ read bool }

func (n *nothing) Read([]byte) (int, error) {
	if n.read {
		return 0, io.EOF
	}
	n.read = true
	return 0, nil
}

// The last bytes come with io.EOF if it was known, and an error of the source comes behind what it brought.
func TestReadHeadEnd(t *testing.T) {
	_, body, err := client.ReadHead(iotest.DataErrReader(strings.NewReader("Status: 200\n\nbody")))
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 3)
	if n, err := body.Read(buf); n != 3 || err != nil {
		t.Errorf("first %d, %v", n, err)
	}
	if n, err := body.Read(buf); n != 1 || err != io.EOF {
		t.Errorf("then %d, %v", n, err)
	}
	if n, err := body.Read(buf); n != 0 || err != io.EOF {
		t.Errorf("at last %d, %v", n, err)
	}
	broken := errors.New("broken")
	_, body, err = client.ReadHead(io.MultiReader(strings.NewReader("Status: 200\n\nbody"), iotest.ErrReader(broken)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(body); string(got) != "body" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
	if _, _, err = client.ReadHead(io.MultiReader(strings.NewReader("Status: 200\n"), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("within the head: %v", err)
	}
}

// FuzzReadHead holds that a head is the same however it is cut, that what follows it is all that follows the first blank
// line, that nothing in it could start a field of its own, and that errors are of the documented kinds.
func FuzzReadHead(f *testing.F) {
	for _, tt := range headTests {
		f.Add([]byte(tt.text), uint8(3))
	}
	f.Add([]byte("X: "+strings.Repeat("x", 70000)), uint8(255))
	f.Fuzz(func(t *testing.T, text []byte, size uint8) {
		head, body, err := client.ReadHead(bytes.NewReader(text))
		again, bodyAgain, errAgain := client.ReadHead(&pieces{text, int(size) + 1})
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("%v, and in pieces %v", err, errAgain)
		}
		if err != nil {
			if !errors.Is(err, client.ErrMalformedHead) && !errors.Is(err, client.ErrHeadTooLarge) && !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("error %v", err)
			}
			return
		}
		rest, _ := io.ReadAll(body)
		restAgain, _ := io.ReadAll(bodyAgain)
		if !bytes.Equal(rest, restAgain) || head.Status != again.Status || !maps.EqualFunc(head.Header, again.Header, slices.Equal) {
			t.Fatalf("%+v, %q, and in pieces %+v, %q", head, rest, again, restAgain)
		}
		front := text[:len(text)-len(rest)]
		if !bytes.HasSuffix(text, rest) || !bytes.HasSuffix(front, []byte("\n\n")) && !bytes.HasSuffix(front, []byte("\n\r\n")) || len(front) > 64<<10 {
			t.Fatalf("head %q, body %q", front, rest)
		}
		for name, values := range head.Header {
			if http.CanonicalHeaderKey(name) != name || strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
				t.Fatalf("field %q: %q", name, values)
			}
		}
		if code := head.StatusCode(); code < 100 || code > 599 {
			t.Fatalf("status %d", code)
		}
	})
}

// pieces are at most size bytes each.
type pieces struct {
	text []byte
	size int
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.text) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.text[:min(p.size, len(p.text))])
	p.text = p.text[n:]
	return n, nil
}
