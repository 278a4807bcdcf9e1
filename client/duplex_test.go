package client_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// echo answers with STDIN as it arrives, and reads nothing while it writes.
func echo(a *fakeapp.Conn) {
	r := a.Begin()
	for {
		ev, err := a.Next()
		if err != nil {
			return
		}
		if ev.End {
			a.Say(r.Answer(""))
			return
		}
		if !a.Say(r.Stdout(string(ev.Data))) {
			return
		}
	}
}

// C15: both directions at once, over a pipe that holds nothing and a socket.
// One that first sent everything would wait for ever.
func TestC15FullDuplex(t *testing.T) { eachMode(t, testC15FullDuplex) }

func testC15FullDuplex(t *testing.T, m mode) {
	body := strings.Repeat("0123456789abcdef", 1<<16)
	for name, c := range map[string]*client.Client{
		"pipe":   m.pipeClient(t, &client.Client{}, echo),
		"socket": m.newClient(t, &client.Client{}, echo),
	} {
		t.Run(name, func(t *testing.T) {
			defer c.Close()
			expect(t, c, post(strings.NewReader(body)), body)
		})
	}
}

func TestC15Conversation(t *testing.T) { eachMode(t, testC15Conversation) }

func testC15Conversation(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{}, echo)
	ours, theirs := io.Pipe()
	answers := make(chan *client.Response)
	go func() {
		resp, err := c.Do(t.Context(), post(ours))
		if err != nil {
			t.Error(err)
		}
		answers <- resp
	}()
	io.WriteString(theirs, "a")
	resp := <-answers
	defer resp.Close()
	buf := make([]byte, 1)
	for _, next := range "bcd" {
		if _, err := resp.Read(buf); err != nil {
			t.Fatal(err)
		}
		io.WriteString(theirs, string(next))
	}
	theirs.Close()
	rest, err := io.ReadAll(resp)
	if string(buf)+string(rest) != "cd" || err != nil {
		t.Errorf("the conversation ends with %q, %q, %v", buf, rest, err)
	}
}

// C15: an application that answers and ends without reading, with every buffer
// full in both directions.
func TestC15EarlyResponse(t *testing.T) { eachMode(t, testC15EarlyResponse) }

func testC15EarlyResponse(t *testing.T, m mode) {
	long := strings.Repeat("x", 1<<20)
	for _, keep := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := m.pipeClient(t, &client.Client{KeepConn: keep}, func(a *fakeapp.Conn) {
				a.Say(a.Begin().Answer(long))
				time.Sleep(time.Minute) // the rest of STDIN waits in vain
			})
			defer c.Close()
			start := time.Now()
			expect(t, c, post(strings.NewReader(long)), long)
			if d := time.Since(start); d != 0 {
				t.Errorf("keep %v: took %v", keep, d)
			}
		})
	}
}

// A response that is over does not wait for a body that goes on.
func TestC15EndsBeforeTheBody(t *testing.T) { eachMode(t, testC15EndsBeforeTheBody) }

func testC15EndsBeforeTheBody(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) { a.Say(a.Begin().Answer("enough")) })
	ours, theirs := io.Pipe()
	expect(t, c, post(ours), "enough")
	ours.CloseWithError(errors.New("the caller ends the Read in progress"))
	theirs.Close()
}
