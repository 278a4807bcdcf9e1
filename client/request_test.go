package client_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/address/addresstest"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestC1Order(t *testing.T) { eachMode(t, testC1Order) }

func testC1Order(t *testing.T, m mode) {
	param := []client.Pair{{Name: "A", Value: "1"}}
	for _, tt := range []struct {
		name string
		req  client.Request
		want string
	}{
		{"no body", client.Request{Params: param}, "BEGIN_REQUEST PARAMS PARAMS. STDIN."},
		{"no params", client.Request{}, "BEGIN_REQUEST PARAMS. STDIN."},
		{"empty body", client.Request{Params: param, Stdin: strings.NewReader("")}, "BEGIN_REQUEST PARAMS PARAMS. STDIN."},
		{"body", client.Request{Params: param, Stdin: strings.NewReader("x")}, "BEGIN_REQUEST PARAMS PARAMS. STDIN STDIN."},
		{"one byte at a time", client.Request{Stdin: iotest.OneByteReader(strings.NewReader("xy"))}, "BEGIN_REQUEST PARAMS. STDIN STDIN STDIN."},
		{"data with EOF", client.Request{Stdin: iotest.DataErrReader(strings.NewReader("xy"))}, "BEGIN_REQUEST PARAMS. STDIN STDIN."},
		{"filter", client.Request{Role: protocol.RoleFilter, Stdin: strings.NewReader("x"), Data: strings.NewReader("y")}, "BEGIN_REQUEST PARAMS. STDIN STDIN. DATA DATA."},
		{"filter of nothing", client.Request{Role: protocol.RoleFilter}, "BEGIN_REQUEST PARAMS. STDIN. DATA."},
		{"authorizer", client.Request{Role: protocol.RoleAuthorizer, Params: param}, "BEGIN_REQUEST PARAMS PARAMS."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := records(t, m.capture(t, &client.Client{}, &tt.req)); got != tt.want {
				t.Errorf("sent %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A body at hand costs no write of its own.
func TestSmallBodyIsOneWrite(t *testing.T) { eachMode(t, testSmallBodyIsOneWrite) }

func testSmallBodyIsOneWrite(t *testing.T, m mode) {
	var first int
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
		buf := make([]byte, 4096)
		first, _ = a.Read(buf)
		a.Say((&fakeapp.Request{ID: 1}).Answer("ok"))
	})
	expect(t, c, post(strings.NewReader("body")), "ok")
	whole := m.capture(t, &client.Client{}, post(strings.NewReader("body")))
	if first != len(whole) {
		t.Errorf("the first read got %d of %d bytes", first, len(whole))
	}
}

// pairs are params whose encodings have the given lengths.
func pairs(lens ...int) (params []client.Pair) {
	for i, n := range lens {
		name := string(rune('A' + i))
		value := strings.Repeat("v", n)
		for protocol.PairLen(name, value) > n {
			value = value[1:]
		}
		params = append(params, client.Pair{Name: name, Value: value})
	}
	return params
}

func TestC2C3ParamsAreCutBetweenPairs(t *testing.T) { eachMode(t, testC2C3ParamsAreCutBetweenPairs) }

func testC2C3ParamsAreCutBetweenPairs(t *testing.T, m mode) {
	const most = client.MaxPairLen
	for _, tt := range []struct {
		lens    []int
		records int
	}{
		{[]int{most - 1}, 1},
		{[]int{most}, 1},
		{[]int{most - 100, 100}, 1},
		{[]int{most - 100, 101}, 2},
		{[]int{most, 100}, 2},
		{[]int{100, most}, 2},
		{[]int{30000, 30000, 30000, 30000}, 2},
		{[]int{40000, 40000, 40000}, 3},
	} {
		params := pairs(tt.lens...)
		sent := m.capture(t, &client.Client{}, &client.Request{Params: params})
		var names []string
		groups := 0
		for len(sent) > 0 {
			h := protocol.ParseHeader(sent)
			end := protocol.HeaderLen + int(h.ContentLength)
			if int(h.ContentLength)+int(h.PaddingLength) > protocol.MaxContentLen {
				t.Errorf("%v: a record of %d bytes", tt.lens, h.ContentLength)
			}
			if h.Type == protocol.TypeParams && h.ContentLength > 0 {
				groups++
				names = append(names, namesIn(t, sent[protocol.HeaderLen:end])...)
			}
			sent = sent[end:]
		}
		if groups != tt.records || len(names) != len(params) {
			t.Errorf("%v: %d records with %q, want %d", tt.lens, groups, names, tt.records)
		}
	}
}

// namesIn reads the pairs of one record as PHP does: by itself.
func namesIn(t *testing.T, record []byte) (names []string) {
	t.Helper()
	for len(record) > 0 {
		name, _, rest, err := protocol.CutPair(record)
		if err != nil {
			t.Fatalf("a pair is cut: %v", err)
		}
		names = append(names, string(name))
		record = rest
	}
	return names
}

func TestC3GiantParam(t *testing.T) { eachMode(t, testC3GiantParam) }

func testC3GiantParam(t *testing.T, m mode) {
	req := &client.Request{Params: pairs(client.MaxPairLen + 1)}
	c := m.newClient(t, &client.Client{}, func(*fakeapp.Conn) { t.Error("dialled") })
	_, err := c.Do(t.Context(), req)
	var tooLarge *client.ParamTooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Name != "A" || tooLarge.Len != client.MaxPairLen+1 {
		t.Errorf("error %v", err)
	}
	sent := m.capture(t, &client.Client{SplitPairs: true}, req)
	if got := records(t, sent); got != "BEGIN_REQUEST PARAMS PARAMS PARAMS. STDIN." {
		t.Errorf("with SplitPairs: sent %s", got)
	}
}

func TestC4AuthorizerParams(t *testing.T) { eachMode(t, testC4AuthorizerParams) }

func testC4AuthorizerParams(t *testing.T, m mode) {
	var got map[string]string
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			got = r.Params
			a.Say(r.Answer("Status: 200\n\n"))
		}
	})
	var params []client.Pair
	for _, name := range []string{"CONTENT_LENGTH", "PATH_INFO", "PATH_TRANSLATED", "SCRIPT_NAME", "REQUEST_URI"} {
		params = append(params, client.Pair{Name: name, Value: "x"})
	}
	expect(t, c, &client.Request{Role: protocol.RoleAuthorizer, Params: params}, "Status: 200\n\n")
	if len(got) != 1 || got["REQUEST_URI"] != "x" {
		t.Errorf("authorizer got %v", got)
	}
	expect(t, c, &client.Request{Params: params}, "Status: 200\n\n")
	if len(got) != 5 {
		t.Errorf("responder got %v", got)
	}
}

func TestC5SmallIDs(t *testing.T) { eachMode(t, testC5SmallIDs) }

func testC5SmallIDs(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Answer(string(rune('0' + r.ID))))
		}
	})
	for _, want := range m.either("121212", "123456") {
		expect(t, c, get(), string(want))
	}
}

func TestParamsArriveAsGiven(t *testing.T) { eachMode(t, testParamsArriveAsGiven) }

func testParamsArriveAsGiven(t *testing.T, m mode) {
	params := []client.Pair{{Name: "Z", Value: ""}, {Name: "A", Value: "ü\n"}, {Name: "", Value: "nameless"}, {Name: "A", Value: "again"}}
	sent := m.capture(t, &client.Client{}, &client.Request{Params: params})
	var want []byte
	for _, p := range params {
		want = protocol.AppendPair(want, p.Name, p.Value)
	}
	if !bytes.Contains(sent, protocol.AppendRecord(nil, protocol.TypeParams, 1, want)) {
		t.Errorf("sent %q", sent)
	}
}

func TestMisuse(t *testing.T) { eachMode(t, testMisuse) }

func testMisuse(t *testing.T, m mode) {
	for name, req := range map[string]*client.Request{
		"NUL in a name":  {Params: []client.Pair{{Name: "A\x00", Value: "1"}}},
		"NUL in a value": {Params: []client.Pair{{Name: "A", Value: "1\x00"}}},
		"stdin for an authorizer": {
			Role: protocol.RoleAuthorizer, Stdin: strings.NewReader(""),
		},
		"data for a responder": {Data: strings.NewReader("")},
	} {
		c := &client.Client{Multiplex: m.multiplex, Addr: "unix:/nowhere"}
		_, err := c.Do(t.Context(), req)
		if err == nil || strings.Contains(err.Error(), "dial") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestBadAddress(t *testing.T) { eachMode(t, testBadAddress) }

func testBadAddress(t *testing.T, m mode) {
	refused := slices.Concat(addresstest.Refused, []addresstest.Bad{
		{Addr: "", Says: "unix:/path, /path, unix:@name, tcp:host:port, host:port, :port or tls:host:port"},
		{Addr: "fd:0", Says: "cannot be dialled"},
		{Addr: "127.0.0.1:0", Says: "port 0"},
	})
	for _, tt := range refused {
		c := &client.Client{Multiplex: m.multiplex, Addr: tt.Addr}
		_, err := c.Do(t.Context(), get())
		_, valuesErr := c.GetValues(t.Context())
		for _, err := range []error{err, valuesErr} {
			if err == nil || !strings.HasPrefix(err.Error(), "fastcgi: ") || !strings.Contains(err.Error(), tt.Says) {
				t.Errorf("%q: %v; want %q in it", tt.Addr, err, tt.Says)
			}
		}
	}
}

// A body that fails must not reach the application as a short body that ended.
func TestStdinError(t *testing.T) { eachMode(t, testStdinError) }

func testStdinError(t *testing.T, m mode) {
	broken := errors.New("the disk is on fire")
	for name, body := range map[string]io.Reader{
		"at once": iotest.ErrReader(broken),
		"later":   io.MultiReader(strings.NewReader(strings.Repeat("x", 100000)), iotest.ErrReader(broken)),
	} {
		t.Run(name, func(t *testing.T) {
			closed := make(chan error, 1)
			c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
				a.Begin()
				for {
					ev, err := a.Next()
					if err != nil || ev.End {
						closed <- err
						return
					}
				}
			})
			if _, _, err := answer(t, c, post(body)); !errors.Is(err, broken) {
				t.Errorf("error %v", err)
			}
			if err := <-closed; err != io.EOF {
				t.Errorf("the application saw %v instead of a lost connection", err)
			}
		})
	}
}
