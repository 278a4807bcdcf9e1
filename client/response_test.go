package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const complete = protocol.StatusRequestComplete

// responseTests are what an application may say to one request, and what becomes
// of it.
var responseTests = []struct {
	name   string
	say    func(r *fakeapp.Request) [][]byte
	stdout string
	stderr string
	app    uint32
	failed bool  // with err, or any *protocol.Error if err is nil
	err    error // for errors.Is
}{
	{name: "plain", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Answer("hello")}
	}, stdout: "hello"},
	{name: "C6 interleaved", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stderr("e1"), r.Stdout("o1"), r.Stderr("e2"), r.Stdout("o2"), r.End(0, complete)}
	}, stdout: "o1o2", stderr: "e1e2"},
	{name: "C6 empty STDERR", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.EndStream(protocol.TypeStderr), r.Answer("x")}
	}, stdout: "x"},
	{name: "C6 STDERR ended", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stderr("e"), r.EndStream(protocol.TypeStderr), r.Answer("x")}
	}, stdout: "x", stderr: "e"},
	{name: "C6 megabyte of STDERR first", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stderr(strings.Repeat("e", 1<<20)), r.Answer("x")}
	}, stdout: "x", stderr: strings.Repeat("e", 1<<20)},
	{name: "C6 large", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Answer(strings.Repeat("0123456789", 100000))}
	}, stdout: strings.Repeat("0123456789", 100000)},
	{name: "C7 END without empty STDOUT", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("php"), r.End(0, complete)}
	}, stdout: "php"},
	{name: "C7 END alone", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.End(0, complete)}
	}},
	{name: "C7 EOF at once", say: func(*fakeapp.Request) [][]byte {
		return nil
	}, failed: true, err: io.ErrUnexpectedEOF},
	{name: "C7 EOF after STDOUT", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("half")}
	}, stdout: "half", failed: true, err: io.ErrUnexpectedEOF},
	{name: "C7 EOF after empty STDOUT", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("all"), r.EndStream(protocol.TypeStdout)}
	}, stdout: "all", failed: true, err: io.ErrUnexpectedEOF},
	{name: "C7 EOF in a record", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("half of it")[:12]}
	}, stdout: "half", failed: true, err: io.ErrUnexpectedEOF},
	{name: "C8 END cut short", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("x"), protocol.AppendRecord(nil, protocol.TypeEndRequest, r.ID, make([]byte, 7))}
	}, stdout: "x", failed: true, err: protocol.ErrContentLength},
	{name: "C9 another id", say: func(r *fakeapp.Request) [][]byte {
		other := &fakeapp.Request{ID: r.ID + 7}
		return [][]byte{other.Stdout("no"), other.Stderr("no"), other.End(1, complete), r.Answer("yes")}
	}, stdout: "yes"},
	{name: "C9 another type", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{
			protocol.AppendRecord(nil, 42, r.ID, []byte("?")),
			protocol.AppendRecord(nil, protocol.TypeStdin, r.ID, []byte("?")),
			protocol.AppendRecord(nil, 99, 0, []byte("?")),
			protocol.AppendUnknownType(nil, 9),
			r.Answer("yes"),
		}
	}, stdout: "yes"},
	{name: "C9 another version", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("x"), []byte("\x02\x06\x00\x01\x00\x00\x00\x00")}
	}, stdout: "x", failed: true, err: protocol.ErrVersion},
	{name: "C9 HTTP", say: func(*fakeapp.Request) [][]byte {
		return [][]byte{[]byte("HTTP/1.1 400 Bad Request\r\n\r\n")}
	}, failed: true, err: protocol.ErrVersion},
	{name: "C9 STDOUT of id 0", say: func(*fakeapp.Request) [][]byte {
		return [][]byte{(&fakeapp.Request{}).Stdout("x")}
	}, failed: true, err: protocol.ErrNullID},
	{name: "appStatus", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("x"), r.End(0xfffffffe, complete)}
	}, stdout: "x", app: 0xfffffffe},
	{name: "STDOUT after its end", say: func(r *fakeapp.Request) [][]byte {
		return [][]byte{r.Stdout("x"), r.EndStream(protocol.TypeStdout), r.Stdout("y"), r.End(0, complete)}
	}, stdout: "x"},
}

func TestResponses(t *testing.T) { eachMode(t, testResponses) }

func testResponses(t *testing.T, m mode) {
	for _, tt := range responseTests {
		for _, piece := range []int{1 << 30, 1, 7} {
			t.Run(fmt.Sprintf("%s in pieces of %d", tt.name, piece), func(t *testing.T) {
				c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
					sayInPieces(a, bytes.Join(tt.say(a.Request()), nil), piece)
				})
				var stderr bytes.Buffer
				req := get()
				req.Stderr = &stderr
				stdout, end, err := answer(t, c, req)
				if (err != nil) != tt.failed || !errors.Is(err, tt.err) {
					t.Errorf("error %v, want %v", err, tt.err)
				}
				// What Do reports as an error may have had output before.
				if stdout != tt.stdout && (err == nil || stdout != "") {
					t.Errorf("STDOUT %q, want %q", clip(stdout), clip(tt.stdout))
				}
				if stderr.String() != tt.stderr {
					t.Errorf("STDERR %q, want %q", clip(stderr.String()), clip(tt.stderr))
				}
				if end.AppStatus != tt.app {
					t.Errorf("appStatus %d, want %d", end.AppStatus, tt.app)
				}
			})
		}
	}
}

// sayInPieces writes b in pieces; of a long one only the first and last 100
// bytes, to save time.
func sayInPieces(a *fakeapp.Conn, b []byte, size int) {
	for i := 0; i < len(b); {
		n := min(size, len(b)-i)
		if i >= 100 && len(b)-i > 100+n {
			n = len(b) - i - 100
		}
		if !a.Say(b[i : i+n]) {
			return
		}
		i += n
	}
}

func TestC10Refusals(t *testing.T) { eachMode(t, testC10Refusals) }

func testC10Refusals(t *testing.T, m mode) {
	for _, status := range []protocol.Status{
		protocol.StatusCantMultiplex, protocol.StatusOverloaded, protocol.StatusUnknownRole, 42,
	} {
		for _, output := range []string{"", "some"} {
			c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
				r := a.Request()
				a.Say(r.Stdout(output), r.End(7, status))
			})
			got, _, err := answer(t, c, get())
			var refused *client.RefusedError
			if !errors.As(err, &refused) || refused.Status != status || refused.AppStatus != 7 || got != output {
				t.Errorf("%v after %q: %q, %v", status, output, got, err)
			}
		}
	}
}

// C16: what an authorizer denies with arrives whole.
func TestC16AuthorizerDenies(t *testing.T) { eachMode(t, testC16AuthorizerDenies) }

func testC16AuthorizerDenies(t *testing.T, m mode) {
	const denial = "Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno"
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) { a.Say(a.Request().Answer(denial)) })
	expect(t, c, &client.Request{Role: protocol.RoleAuthorizer}, denial)
}

// The end travels with the last bytes where it is known, so that a gateway sees
// no need to flush in between.
func TestEOFComesWithTheLastBytes(t *testing.T) { eachMode(t, testEOFComesWithTheLastBytes) }

func testEOFComesWithTheLastBytes(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) { a.Say(a.Request().Answer("hello")) })
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	if n, err := resp.Read(make([]byte, 100)); n != 5 || err != io.EOF {
		t.Errorf("Read: %d, %v", n, err)
	}
}

func TestStreamsAsItArrives(t *testing.T) { eachMode(t, testStreamsAsItArrives) }

func testStreamsAsItArrives(t *testing.T, m mode) {
	proceed := make(chan struct{})
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) {
		r := a.Request()
		for range 3 {
			a.Say(r.Stdout("tick"))
			<-proceed
		}
		a.Say(r.Answer("tock"))
	})
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	buf := make([]byte, 4)
	for range 3 {
		if _, err := io.ReadFull(resp, buf); err != nil || string(buf) != "tick" {
			t.Fatalf("read %q, %v", buf, err)
		}
		proceed <- struct{}{}
	}
	rest, err := io.ReadAll(resp)
	if string(rest) != "tock" || err != nil {
		t.Errorf("read %q, %v", rest, err)
	}
}

// A reader that does not read holds the application up instead of filling the memory, if nobody else is on the connection.
func TestBackpressure(t *testing.T) { eachMode(t, testBackpressure) }

func testBackpressure(t *testing.T, m mode) {
	synctest.Test(t, func(t *testing.T) {
		var wrote atomic.Int32
		c := m.pipeClient(t, &client.Client{}, func(a *fakeapp.Conn) {
			r := a.Request()
			for record := r.Stdout(strings.Repeat("x", 60000)); wrote.Load() < 100 && a.Say(record); {
				wrote.Add(1)
			}
			m.givenUp(a, r)
		})
		defer c.Close()
		resp, err := c.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		// There are 64 KiB, and the 32 KiB of one read.
		if n := wrote.Load(); n != 1 {
			t.Errorf("the application could write %d records that nobody read", n)
		}
		resp.Close()
	})
}

func TestWaitDiscards(t *testing.T) { eachMode(t, testWaitDiscards) }

func testWaitDiscards(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{KeepConn: true}, func(a *fakeapp.Conn) {
		for r := a.Request(); r != nil; r = a.Request() {
			a.Say(r.Stdout(strings.Repeat("x", 1<<20)), r.End(3, complete))
		}
	})
	for range 2 {
		resp, err := c.Do(t.Context(), get())
		if err != nil {
			t.Fatal(err)
		}
		end, err := resp.Wait()
		if end.AppStatus != 3 || err != nil {
			t.Errorf("Wait: %v, %v", end, err)
		}
		if n, err := resp.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("Read after Wait: %d, %v", n, err)
		}
		resp.Close()
	}
}

func TestReadAfterClose(t *testing.T) { eachMode(t, testReadAfterClose) }

func testReadAfterClose(t *testing.T, m mode) {
	c := m.newClient(t, &client.Client{}, func(a *fakeapp.Conn) { a.Say(a.Request().Answer("x")) })
	resp, err := c.Do(t.Context(), get())
	if err != nil {
		t.Fatal(err)
	}
	resp.Close()
	if n, err := resp.Read(make([]byte, 1)); n != 0 || err == nil || err == io.EOF {
		t.Errorf("Read after Close: %d, %v", n, err)
	}
}
