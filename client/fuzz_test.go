package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An outcome is all that a caller learns.
type outcome struct {
	stdout, stderr string
	end            protocol.EndRequest
	err            string
}

// saying returns a Client's Dial: an application at its other end says something, in pieces, and closes, whatever it is sent.
func saying(app *sync.WaitGroup, said []byte, size int) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		here, there := net.Pipe()
		app.Go(func() { io.Copy(io.Discard, there) })
		app.Go(func() {
			defer there.Close()
			for p := said; len(p) > 0; {
				n, err := there.Write(p[:min(size, len(p))])
				if err != nil {
					return
				}
				p = p[n:]
			}
		})
		return here, nil
	}
}

// hear has an application say something to one request, in pieces, and close.
func hear(t *testing.T, m mode, said []byte, size int) outcome {
	var app sync.WaitGroup
	defer app.Wait()
	c := &client.Client{Multiplex: m.multiplex, Dial: saying(&app, said, size)}
	defer c.Close()
	var stderr bytes.Buffer
	req := get()
	req.Stderr = &stderr
	stdout, end, err := answer(t, c, req)
	o := outcome{stdout: stdout, stderr: stderr.String(), end: end}
	if err != nil {
		o.err = err.Error()
		expectKnown(t, err)
	}
	return o
}

func expectKnown(t *testing.T, err error) {
	var broken *protocol.Error
	var refused *client.RefusedError
	if !errors.As(err, &broken) && !errors.As(err, &refused) && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatalf("error %v", err)
	}
}

// FuzzApplication holds that whatever an application says, and however it is
// cut, the caller learns the same; that errors are of the documented kinds; and
// that nothing but END_REQUEST makes a response complete.
func FuzzApplication(f *testing.F) {
	for _, tt := range responseTests {
		if said := bytes.Join(tt.say(&fakeapp.Request{ID: 1}), nil); len(said) < 1<<12 {
			f.Add(said, uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, said []byte, size uint8) {
		hearBothWays(t, alone, said, int(size)+1)
		hearBothWays(t, shared, said, int(size)+1)
	})
}

func hearBothWays(t *testing.T, m mode, said []byte, size int) {
	whole := hear(t, m, said, len(said)+1)
	if pieces := hear(t, m, said, size); pieces != whole {
		t.Fatalf("%s, whole: %+v\nin pieces of %d: %+v", m.name, whole, size, pieces)
	}
	if whole.err == "" && !bytes.Contains(said, []byte{protocol.Version, byte(protocol.TypeEndRequest), 0, 1}) {
		t.Fatalf("complete without END_REQUEST: %+v", whole)
	}
}
