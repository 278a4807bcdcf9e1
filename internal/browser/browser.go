// Package browser has a real browser, chromium, show pages to tests, and lets them
// look at what it shows. Only tests import it.
package browser

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// A Tab is a page in a browser, spoken to by the DevTools protocol over pipes:
// JSON objects with a NUL after each. Its methods are for the test's goroutine
// alone, and fail the test if anything goes wrong.
type Tab struct {
	t       *testing.T
	out     *os.File
	in      *bufio.Reader
	session string
	id      int
	wrong   []string // what the page's console complained of
}

// A message is a command, its answer, or an event.
type message struct {
	ID      int             `json:"id,omitempty"`
	Session string          `json:"sessionId,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// Open shows a page in a browser until the end of the test. Where chromium is not
// installed it skips the test, or fails it where FASTCGI_REQUIRE_SERVERS is 1.
func Open(t *testing.T, url string) *Tab {
	t.Helper()
	p := startBrowser(t)
	var target struct{ TargetID string }
	p.Call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	p.Call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	p.session = attached.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log"} {
		p.Call(domain+".enable", nil, nil)
	}
	p.Call("Page.navigate", map[string]any{"url": url}, nil)
	for p.receive().Method != "Page.loadEventFired" {
	}
	return p
}

// startBrowser starts chromium.
func startBrowser(t *testing.T) *Tab {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		required.Missing(t, "there is no chromium: install the package chromium")
	}
	theirIn, ourOut := pipe(t)
	ourIn, theirOut := pipe(t)
	cmd := exec.Command(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe")
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	p := &Tab{t: t, out: ourOut, in: bufio.NewReader(ourIn)}
	t.Cleanup(func() {
		p.session = ""
		p.Call("Browser.close", nil, nil)
		if err := cmd.Wait(); err != nil {
			t.Errorf("chromium ended with %v", err)
		}
	})
	return p
}

// pipe makes a pipe that is closed at the end of the test.
func pipe(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		w.Close()
	})
	return r, w
}

// Call gives the browser a command of the DevTools protocol and waits for its
// answer, which goes to result unless that is nil.
func (p *Tab) Call(method string, params, result any) {
	p.t.Helper()
	p.id++
	b, err := json.Marshal(message{ID: p.id, Session: p.session, Method: method, Params: params})
	if err == nil {
		_, err = p.out.Write(append(b, 0))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	for {
		m := p.receive()
		switch {
		case m.ID != p.id:
			continue
		case m.Error != nil:
			p.t.Fatalf("%s: %s", method, m.Error)
		case result != nil:
			err = json.Unmarshal(m.Result, result)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		return
	}
}

// Complaints returns what the page's console has complained of so far: exceptions,
// resources that are missing, and what its security policy stopped.
func (p *Tab) Complaints() []string { return p.wrong }

// receive returns the next message, and notes complaints of the page.
func (p *Tab) receive() message {
	p.t.Helper()
	b, err := p.in.ReadBytes(0)
	if err != nil {
		p.t.Fatalf("the browser is gone: %v", err)
	}
	b = bytes.TrimSuffix(b, []byte{0})
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		p.t.Fatal(err)
	}
	if m.Method == "Runtime.exceptionThrown" || m.Method == "Log.entryAdded" && !advice(b) {
		p.wrong = append(p.wrong, string(b))
	}
	return m
}

// advice reports whether an entry of the log only says what could be better.
func advice(event []byte) bool {
	var e struct {
		Params struct{ Entry struct{ Level string } }
	}
	return json.Unmarshal(event, &e) == nil && e.Params.Entry.Level == "verbose"
}

// Eval runs an expression in the page and returns its value, awaited, as a
// string.
func (p *Tab) Eval(expression string) string {
	p.t.Helper()
	var got struct {
		Result           struct{ Value any }
		ExceptionDetails json.RawMessage
	}
	p.Call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &got)
	if got.ExceptionDetails != nil {
		p.t.Fatalf("%s: %s", expression, got.ExceptionDetails)
	}
	return fmt.Sprint(got.Result.Value)
}

// Await waits until an expression is true. If that takes half a minute, it
// gives up and fails the test with what the page shows.
func (p *Tab) Await(expression string) {
	p.t.Helper()
	shown := p.Eval(`new Promise(done => {
		const end = Date.now() + 30000;
		const look = () => {
			if (` + expression + `) done("");
			else if (Date.now() > end) done(document.body.innerText);
			else setTimeout(look, 10);
		};
		look();
	})`)
	if shown != "" {
		p.t.Fatalf("%s does not come true; the page shows\n%s", expression, shown)
	}
}

// Text returns what a visitor sees of an element.
func (p *Tab) Text(id string) string {
	p.t.Helper()
	return p.Eval(`document.getElementById("` + id + `").innerText`)
}

// Click clicks on an element.
func (p *Tab) Click(id string) {
	p.t.Helper()
	p.Eval(`document.getElementById("` + id + `").click()`)
}
