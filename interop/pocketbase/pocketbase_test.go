package pocketbase_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/browser"
)

// A browser cannot tell PocketBase as it is from PocketBase behind nginx with its listener's line changed.
func TestPocketBase(t *testing.T) {
	// The race detector has a process linger for a second, in case other threads have something to report.
	t.Setenv("GORACE", "atexit_sleep_ms=50")
	nginx := findNginx(t)
	original, changed := build(t)
	sites := []site{
		{"as it is", "http://" + original.serve(t)},
		{"over FastCGI", "http://" + behind(t, nginx, changed.serve(t))},
	}
	for _, s := range sites {
		t.Run(s.name, func(t *testing.T) {
			t.Run("notes", s.visitNotes)
			t.Run("dashboard", s.visitDashboard)
		})
	}
	t.Run("files", func(t *testing.T) { compareFiles(t, sites[0], sites[1]) })
}

// visitNotes adds notes, one with a file, and sees them arrive as events.
func (s site) visitNotes(t *testing.T) {
	p := browser.Open(t, s.url+"/")
	p.Await(`client`)
	expect(t, p, `getComputedStyle(document.getElementById("notes")).color`, "rgb(0, 128, 0)")

	file, digest := noise(t, 20_000_000)
	upload(p, "from the browser", file)
	p.Await(`document.querySelector("#notes li:nth-child(1)")`)
	expect(t, p, `document.getElementById("notes").innerText`, "from the browser")
	expect(t, p, fetched(`document.querySelector("#notes a").href`), "200 "+digest)

	s.addNote(t, "from elsewhere")
	p.Await(`document.querySelector("#notes li:nth-child(2)")`)
	expect(t, p, `document.getElementById("notes").innerText`, "from the browser\nfrom elsewhere")
	expect(t, p, `events.readyState`, "1") // OPEN: all of that came by one response

	stream := p.Eval(`client`)
	blameless(t, p)
	p.Call("Page.reload", nil, nil)
	eventually(t, "PocketBase notices that the visitor left", func() bool { return !s.streams(t, stream) })
}

// visitDashboard logs in, and looks at the notes and at the settings.
func (s site) visitDashboard(t *testing.T) {
	s.addNote(t, "to look at")
	p := browser.Open(t, s.url+"/_/")
	p.Await(`document.querySelector("#login_pass")`)
	enter(p, "#login_identity", email)
	enter(p, "#login_pass", password)
	p.Eval(`document.querySelector("#login_pass").form.requestSubmit()`)
	p.Await(`document.querySelector("[title=notes]")`)
	p.Eval(`document.querySelector("[title=notes]").click()`)
	p.Await(`document.body.innerText.includes("to look at")`)
	p.Eval(`location.hash = "#/settings"`)
	p.Await(`[...document.querySelectorAll("input")].some(input => input.value === "Acme")`)

	blameless(t, p)

	// PocketBase lets browsers keep this script, compressed: it is still there without a network.
	p.Call("Network.enable", nil, nil)
	p.Call("Network.emulateNetworkConditions", map[string]any{
		"offline": true, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0,
	}, nil)
	expect(t, p, `fetch("/api/health").catch(() => "no network")`, "no network")
	expect(t, p, `fetch(document.scripts[0].src).then(response => response.headers.get("Content-Encoding"))`, "gzip")
}

// noise makes a file, and returns its path and its SHA-256.
func noise(t *testing.T, n int) (path, digest string) {
	t.Helper()
	text := make([]byte, n)
	rand.NewChaCha8([32]byte{}).Read(text)
	path = filepath.Join(t.TempDir(), "noise.bin")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	return path, hex.EncodeToString(sum[:])
}

// upload fills the form in and sends it off.
func upload(p *browser.Tab, title, file string) {
	enter(p, "[name=title]", title)
	var input struct{ Result struct{ ObjectID string } }
	p.Call("Runtime.evaluate", map[string]any{"expression": `document.getElementById("file")`}, &input)
	p.Call("DOM.setFileInputFiles", map[string]any{"files": []string{file}, "objectId": input.Result.ObjectID}, nil)
	p.Click("add")
}

// enter types into a field.
func enter(p *browser.Tab, selector, text string) {
	p.Eval(fmt.Sprintf(`document.querySelector(%q).focus()`, selector))
	p.Call("Input.insertText", map[string]any{"text": text}, nil)
}

// fetched is an expression for the status and the SHA-256 of what is at a URL.
func fetched(url string) string {
	return `(async () => {
		const response = await fetch(` + url + `);
		const digest = await crypto.subtle.digest("SHA-256", await response.arrayBuffer());
		return response.status + " " + new Uint8Array(digest).toHex();
	})()`
}

// expect wants a value of an expression.
func expect(t *testing.T, p *browser.Tab, expression, want string) {
	t.Helper()
	if got := p.Eval(expression); got != want {
		t.Errorf("%s gives %q, want %q", expression, got, want)
	}
}

// blameless fails the test if the page's console has complaints.
func blameless(t *testing.T, p *browser.Tab) {
	t.Helper()
	for _, w := range p.Complaints() {
		t.Errorf("the page: %s", w)
	}
}

// addNote adds a note without the browser.
func (s site) addNote(t *testing.T, title string) {
	t.Helper()
	if status := s.post(t, "/api/collections/notes/records", url.Values{"title": {title}}); status != http.StatusOK {
		t.Fatalf("adding a note: status %d", status)
	}
}

// streams reports whether PocketBase has a stream of events open.
func (s site) streams(t *testing.T, client string) bool {
	t.Helper()
	return s.post(t, "/api/realtime", url.Values{"clientId": {client}}) != http.StatusNotFound
}

// post sends a form and returns the status of the answer.
func (s site) post(t *testing.T, path string, form url.Values) int {
	t.Helper()
	resp, err := http.PostForm(s.url+path, form)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
