package protocol_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// SendHeader appends what Send does, without the content.
func TestSendHeader(t *testing.T) {
	for _, n := range []int{1, 8, protocol.MaxContentLen} {
		for _, stream := range []protocol.RecordType{protocol.TypeStdout, protocol.TypeStderr} {
			c := active(t)
			got, err := c.SendHeader([]byte("before"), stream, 1, n)
			content := make([]byte, n)
			want := protocol.AppendRecord([]byte("before"), stream, 1, content)
			if !bytes.Equal(append(got, content...), want) || err != nil {
				t.Errorf("%v, %d bytes: got % x, %v", stream, n, got, err)
			}
			// What was sent on STDERR is ended, too.
			end, err := c.EndRequest(nil, 1, protocol.EndRequest{})
			if ends := len(end) / protocol.HeaderLen; err != nil || ends != 3 && stream == protocol.TypeStdout || ends != 4 && stream == protocol.TypeStderr {
				t.Errorf("%v: ended by % x, %v", stream, end, err)
			}
		}
	}
}

func TestSendHeaderRefused(t *testing.T) {
	for _, test := range []struct {
		name   string
		stream protocol.RecordType
		id     uint16
		n      int
		want   error
	}{
		{"no content", protocol.TypeStdout, 1, 0, protocol.ErrContentLength},
		{"too much", protocol.TypeStdout, 1, protocol.MaxContentLen + 1, protocol.ErrContentLength},
		{"negative", protocol.TypeStdout, 1, -1, protocol.ErrContentLength},
		{"inactive", protocol.TypeStdout, 2, 1, protocol.ErrInactiveID},
		{"wrong end", protocol.TypeStdin, 1, 1, protocol.ErrWrongSide},
	} {
		if got, err := active(t).SendHeader([]byte("x"), test.stream, test.id, test.n); string(got) != "x" || !errors.Is(err, test.want) {
			t.Errorf("%s: got %q, %v", test.name, got, err)
		}
	}
}

// active is an application's end with request 1.
func active(t *testing.T) *protocol.Conn {
	t.Helper()
	c := protocol.NewConn(protocol.Application, nil)
	wire := protocol.AppendBeginRequest(nil, 1, protocol.BeginRequest{Role: protocol.RoleResponder})
	if ev, _, err := c.Next(wire); ev.Type != protocol.TypeBeginRequest || err != nil {
		t.Fatalf("got %+v, %v", ev, err)
	}
	return c
}
