package client_test

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A got is all that the caller of a Transport learns, but for how its errors are worded.
type got struct {
	code   int
	header string
	body   string
	failed bool // in RoundTrip
	broken bool // in reading the body
}

// roundTripLiar asks an application that says what it likes, in pieces, and closes.
func roundTripLiar(t *testing.T, method string, said []byte, size int) got {
	var app sync.WaitGroup
	defer app.Wait()
	c := &client.Client{Dial: saying(&app, said, size)}
	defer c.Close()
	transport := &client.Transport{Client: c, ErrorLog: slog.New(slog.DiscardHandler)}
	sent := &watchedBody{Reader: strings.NewReader("hello")}
	r := request(t, method, "http://h/", sent)
	r.ContentLength = 5
	defer sent.expectClosed(t)
	resp, err := transport.RoundTrip(r)
	if err != nil {
		expectKnownHTTP(t, err)
		return got{failed: true}
	}
	defer resp.Body.Close()
	var header bytes.Buffer
	if err := resp.Header.Write(&header); err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		expectKnownHTTP(t, err)
	}
	if err == nil && resp.ContentLength >= 0 && method != http.MethodHead && int64(len(body)) != resp.ContentLength {
		t.Fatalf("%d bytes without an error, and the length is %d", len(body), resp.ContentLength)
	}
	if resp.ContentLength >= 0 && method != http.MethodHead && int64(len(body)) > resp.ContentLength {
		t.Fatalf("%d bytes, and the length is %d", len(body), resp.ContentLength)
	}
	if resp.StatusCode < 200 || resp.StatusCode > 599 {
		t.Fatalf("status %d", resp.StatusCode)
	}
	return got{code: resp.StatusCode, header: header.String(), body: string(body), broken: err != nil}
}

func expectKnownHTTP(t *testing.T, err error) {
	var broken *protocol.Error
	var refused *client.RefusedError
	switch {
	case errors.As(err, &broken), errors.As(err, &refused), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, client.ErrMalformedHead), errors.Is(err, client.ErrHeadTooLarge):
	case strings.Contains(err.Error(), "status 1"), strings.Contains(err.Error(), "no number"):
	default:
		t.Fatalf("error %v", err)
	}
}

// FuzzTransport holds that whatever an application says, and however it is cut, the caller gets the same response, as long as
// its Content-Length, or none; that errors are of the documented kinds; that the body of the request is closed, once; and that
// a response without a Content-Length is complete only with END_REQUEST.
func FuzzTransport(f *testing.F) {
	liar := &fakeapp.Request{ID: 1}
	for _, tt := range responseHeadTests {
		if len(tt.stdout) < 1<<12 {
			f.Add(liar.Answer(tt.stdout), uint8(0), tt.method == "HEAD")
		}
	}
	f.Add(liar.Stdout("Status: 200\nContent-Length: 5\n\nhello"), uint8(9), false)
	f.Add(liar.Stdout("Status: 200\n\nhello"), uint8(9), false)
	f.Add(append(liar.Stdout("Status: 200\n\nhello"), liar.End(1, protocol.StatusOverloaded)...), uint8(9), false)
	f.Fuzz(func(t *testing.T, said []byte, size uint8, head bool) {
		method := http.MethodPost
		if head {
			method = http.MethodHead
		}
		whole := roundTripLiar(t, method, said, len(said)+1)
		if pieces := roundTripLiar(t, method, said, int(size)+1); pieces != whole {
			t.Fatalf("whole: %+v\nin pieces of %d: %+v", whole, int(size)+1, pieces)
		}
		complete := !whole.failed && !whole.broken && !strings.Contains(whole.header, "Content-Length:") && !head &&
			whole.code != http.StatusNoContent && whole.code != http.StatusNotModified
		if complete && !bytes.Contains(said, []byte{protocol.Version, byte(protocol.TypeEndRequest), 0, 1}) {
			t.Fatalf("complete without END_REQUEST: %+v", whole)
		}
	})
}
