package protocol_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var headers = []struct {
	name  string
	wire  string
	value protocol.Header
}{
	{"zero", "\x01\x00\x00\x00\x00\x00\x00\x00", protocol.Header{}},
	{"bytes in order", "\x01\x05\x01\x02\x03\x04\x06\x00", protocol.Header{Type: protocol.TypeStdin, RequestID: 0x0102, ContentLength: 0x0304, PaddingLength: 6}},
	{"largest", "\x01\xff\xff\xff\xff\xff\xff\x00", protocol.Header{Type: 255, RequestID: 65535, ContentLength: 65535, PaddingLength: 255}},
}

func TestHeader(t *testing.T) {
	for _, h := range headers {
		t.Run(h.name, func(t *testing.T) {
			if got := protocol.AppendHeader([]byte("before"), h.value); string(got) != "before"+h.wire {
				t.Errorf("encoded %q", got)
			}
			if got := protocol.ParseHeader([]byte(h.wire + "after")); got != h.value {
				t.Errorf("decoded %+v", got)
			}
		})
	}
}

func TestHeaderTooShort(t *testing.T) {
	mustPanic(t, func() { protocol.ParseHeader(make([]byte, protocol.HeaderLen-1)) })
}

func TestStrings(t *testing.T) {
	for _, tt := range []struct {
		value fmt.Stringer
		want  string
	}{
		{protocol.TypeBeginRequest, "BEGIN_REQUEST"},
		{protocol.TypeAbortRequest, "ABORT_REQUEST"},
		{protocol.TypeEndRequest, "END_REQUEST"},
		{protocol.TypeParams, "PARAMS"},
		{protocol.TypeStdin, "STDIN"},
		{protocol.TypeStdout, "STDOUT"},
		{protocol.TypeStderr, "STDERR"},
		{protocol.TypeData, "DATA"},
		{protocol.TypeGetValues, "GET_VALUES"},
		{protocol.TypeGetValuesResult, "GET_VALUES_RESULT"},
		{protocol.TypeUnknownType, "UNKNOWN_TYPE"},
		{protocol.RecordType(0), "RecordType(0)"},
		{protocol.RecordType(12), "RecordType(12)"},
		{protocol.RecordType(255), "RecordType(255)"},
		{protocol.RoleResponder, "RESPONDER"},
		{protocol.RoleAuthorizer, "AUTHORIZER"},
		{protocol.RoleFilter, "FILTER"},
		{protocol.Role(0), "Role(0)"},
		{protocol.Role(65535), "Role(65535)"},
		{protocol.StatusRequestComplete, "REQUEST_COMPLETE"},
		{protocol.StatusCantMultiplex, "CANT_MPX_CONN"},
		{protocol.StatusOverloaded, "OVERLOADED"},
		{protocol.StatusUnknownRole, "UNKNOWN_ROLE"},
		{protocol.Status(4), "Status(4)"},
		{protocol.ScopeRequest, "request"},
		{protocol.ScopeConnection, "connection"},
	} {
		if got := tt.value.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestAppendRecordTooLong(t *testing.T) {
	if got := protocol.AppendRecord(nil, protocol.TypeStdin, 1, []byte(full)); !bytes.Equal(got, wire(stdin(1, full))) {
		t.Error("65535 bytes are not one record")
	}
	mustPanic(t, func() { protocol.AppendRecord(nil, protocol.TypeStdin, 1, []byte(full+"x")) })
}

// A stream's records are as few as alignment allows, and never empty: that would end it (A37).
func TestAppendStream(t *testing.T) {
	const whole = 65528
	long := full + full
	for _, tt := range []struct {
		n    int
		want []record
	}{
		{0, nil},
		{1, []record{stdout(1, long[:1])}},
		{whole - 1, []record{stdout(1, long[:whole-1])}},
		{whole, []record{stdout(1, long[:whole])}},
		{whole + 1, []record{stdout(1, long[:whole]), stdout(1, long[whole:whole+1])}},
		{65535, []record{stdout(1, long[:whole]), stdout(1, long[whole:65535])}},
		{65536, []record{stdout(1, long[:whole]), stdout(1, long[whole:65536])}},
		{99000, []record{stdout(1, long[:whole]), stdout(1, long[whole:99000])}},
		{2 * whole, []record{stdout(1, long[:whole]), stdout(1, long[whole:2*whole])}},
	} {
		t.Run(fmt.Sprint(tt.n), func(t *testing.T) {
			got := protocol.AppendStream([]byte("before"), protocol.TypeStdout, 1, []byte(long[:tt.n]))
			if want := append([]byte("before"), wire(tt.want...)...); !bytes.Equal(got, want) {
				t.Errorf("got %d bytes, want %d", len(got), len(want))
			}
		})
	}
}

// Many writes that extend a record are one write's record, up to what a record of a stream takes.
func TestExtendRecord(t *testing.T) {
	for _, tt := range []struct{ have, more, took int }{
		{0, 0, 0},
		{1, 0, 0},
		{0, 5, 5},
		{5, 10, 10},
		{65527, 1, 1},
		{65527, 2, 1},
		{65528, 1, 0},
		{65535, 1, 0},
		{1, 65535, 65527},
	} {
		t.Run(fmt.Sprintf("%d and %d", tt.have, tt.more), func(t *testing.T) {
			dst := wire(stderr(1, "other"))
			at := len(dst)
			dst = append(dst, wire(stdout(1, full[:tt.have]))...)
			dst, took := protocol.ExtendRecord(dst, at, []byte(full[:tt.more]))
			want := wire(stderr(1, "other"), stdout(1, full[:tt.have]+full[:tt.took]))
			if took != tt.took || !bytes.Equal(dst, want) {
				t.Errorf("took %d, want %d; %d bytes, want %d", took, tt.took, len(dst), len(want))
			}
		})
	}
}

var beginBodies = []struct {
	content string
	value   protocol.BeginRequest
	keep    bool
}{
	{"\x00\x01\x00\x00\x00\x00\x00\x00", protocol.BeginRequest{Role: responder}, false},
	{"\x00\x02\x01\x00\x00\x00\x00\x00", protocol.BeginRequest{Role: authorizer, Flags: keep}, true},
	{"\x01\x03\xfe\x00\x00\x00\x00\x00", protocol.BeginRequest{Role: 0x0103, Flags: 0xfe}, false},
	{"\xff\xff\xff\x00\x00\x00\x00\x00", protocol.BeginRequest{Role: 65535, Flags: 0xff}, true},
}

func TestBeginRequestBody(t *testing.T) {
	for _, b := range beginBodies {
		r := record{protocol.TypeBeginRequest, 258, b.content}
		if got := protocol.AppendBeginRequest(nil, 258, b.value); !bytes.Equal(got, wire(r)) {
			t.Errorf("%+v: encoded %q", b.value, got)
		}
		got, err := protocol.ParseBeginRequest([]byte(b.content))
		if err != nil || got != b.value || got.KeepConn() != b.keep {
			t.Errorf("%q: decoded %+v, %v", b.content, got, err)
		}
	}
}

// A36: the application's status is big-endian and has all 32 bits.
func TestEndRequestBody(t *testing.T) {
	for _, e := range []struct {
		content string
		value   protocol.EndRequest
	}{
		{"\x00\x00\x00\x00\x00\x00\x00\x00", protocol.EndRequest{}},
		{"\x00\x00\x00\x01\x01\x00\x00\x00", protocol.EndRequest{AppStatus: 1, Status: protocol.StatusCantMultiplex}},
		{"\x00\x00\x03\xaa\x02\x00\x00\x00", protocol.EndRequest{AppStatus: 938, Status: protocol.StatusOverloaded}},
		{"\xff\xff\xff\xff\xff\x00\x00\x00", protocol.EndRequest{AppStatus: 0xffffffff, Status: 255}},
	} {
		r := record{protocol.TypeEndRequest, 258, e.content}
		if got := protocol.AppendEndRequest(nil, 258, e.value); !bytes.Equal(got, wire(r)) {
			t.Errorf("A36 %+v: encoded %q", e.value, got)
		}
		if got, err := protocol.ParseEndRequest([]byte(e.content)); err != nil || got != e.value {
			t.Errorf("A36 %q: decoded %+v, %v", e.content, got, err)
		}
	}
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		if recover() == nil {
			t.Error("it did not panic")
		}
	}()
	f()
}
