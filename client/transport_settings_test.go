package client_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// What the application complains of goes to a function as it is, or to the log, escaped, line by line.
func TestTransportStderr(t *testing.T) {
	complain := func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Stderr("one\x1b\nt"), r.Stdout("Status: 200\n\n"), r.Stderr("wo\nno end"), r.Answer("ok"))
		}
	}
	var lines []string
	transport := newTransport(t, &client.Transport{Stderr: func(r *http.Request, line []byte) {
		lines = append(lines, r.URL.Path+" "+string(line))
	}}, complain)
	if _, body, err := roundTrip(transport, request(t, "GET", "http://h/x", nil)); body != "ok" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	if got := strings.Join(lines, "|"); got != "/x one\x1b|/x two|/x no end" {
		t.Errorf("lines %q", got)
	}
	var log bytes.Buffer
	transport = newTransport(t, &client.Transport{ErrorLog: slog.New(slog.NewJSONHandler(&log, nil))}, complain)
	if _, body, err := roundTrip(transport, request(t, "GET", "http://h/x?y", nil)); body != "ok" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
	var logged []string
	for dec := json.NewDecoder(&log); ; {
		var line struct{ URI, Stderr string }
		if err := dec.Decode(&line); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		logged = append(logged, line.URI+" "+line.Stderr)
	}
	if got := strings.Join(logged, "|"); got != `/x?y one\x1b|/x?y two|/x?y no end` {
		t.Errorf("logged %q", got)
	}
}

// A request is the caller's: RoundTrip changes nothing of it.
func TestTransportKeepsTheRequest(t *testing.T) {
	transport := newTransport(t, &client.Transport{Params: func(r *http.Request) []client.Pair {
		return []client.Pair{{Name: "X", Value: "y"}}
	}}, says("Status: 200\nConnection: close\n\nok"))
	r := request(t, "POST", "http://h/a%2Fb?c", strings.NewReader("hello"))
	r.Header = http.Header{"Connection": {"Upgrade, x"}, "Upgrade": {"talk"}, "Content-Type": {"a/b"}, "X_A": {"c"}}
	before, header, url := *r, r.Header.Clone(), *r.URL
	if _, _, err := roundTrip(transport, r); err != nil {
		t.Fatal(err)
	}
	before.GetBody, r.GetBody = nil, nil // functions cannot be compared
	if !reflect.DeepEqual(before, *r) || !reflect.DeepEqual(header, r.Header) || url != *r.URL {
		t.Errorf("%+v became %+v", before, *r)
	}
}

// SpoolLimit holds for bodies that are collected, whether their length is known or not; those that are passed on have no
// limit here.
func TestTransportSpoolLimit(t *testing.T) {
	const limit = 1000
	for _, tt := range []struct {
		name      string
		transport client.Transport
		known     bool
		limited   bool
	}{
		{"unknown", client.Transport{}, false, true},
		{"unknown, on disk", client.Transport{SpoolMemory: 1}, false, true},
		{"known, collected", client.Transport{CollectBody: true}, true, true},
		{"known, collected on disk", client.Transport{CollectBody: true, SpoolMemory: 1}, true, true},
		{"known", client.Transport{}, true, false},
		{"unknown, streamed", client.Transport{StreamBody: true}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.transport.SpoolLimit = limit
			transport := newTransport(t, &tt.transport, answers(func(r *fakeapp.Request) string { return "Status: 200\n\n" + r.Stdin }))
			for _, n := range []int{limit - 1, limit, limit + 1} {
				want := strings.Repeat("x", n)
				body := &watchedBody{Reader: strings.NewReader(want)}
				r := request(t, "POST", "http://h/", body)
				if tt.known {
					r.ContentLength = int64(n)
				}
				_, got, err := roundTrip(transport, r)
				switch {
				case tt.limited && n > limit:
					if client.StatusOf(err) != http.StatusRequestEntityTooLarge {
						t.Errorf("%d bytes: %v", n, err)
					}
				case got != want || err != nil:
					t.Errorf("%d bytes: got %d, %v", n, len(got), err)
				}
				body.expectClosed(t)
			}
		})
	}
	transport := newTransport(t, &client.Transport{SpoolMemory: 1, SpoolDir: "/nowhere"}, says("Status: 200\n\n"))
	_, _, err := roundTrip(transport, request(t, "POST", "http://h/", io.MultiReader(strings.NewReader("hello"))))
	if err == nil || client.StatusOf(err) != http.StatusInternalServerError {
		t.Errorf("no directory: %v", err)
	}
}
