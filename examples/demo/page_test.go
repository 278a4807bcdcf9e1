package main

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/browser"
)

// show opens the page in a browser, through a gateway.
func show(t *testing.T, path string) *browser.Tab {
	t.Helper()
	return showThrough(t, path, func(h http.Handler) http.Handler { return h })
}

// showThrough opens the page through a gateway and what is put before that.
func showThrough(t *testing.T, path string, before func(http.Handler) http.Handler) *browser.Tab {
	t.Helper()
	f := front.Serve(t, newServer(openRoot(t, ".")))
	web := httptest.NewServer(before(&gateway.Handler{Client: f.Client}))
	t.Cleanup(web.Close)
	return browser.Open(t, web.URL+path)
}

// What a visitor finds on the page, and after the button "Run everything".
func TestPage(t *testing.T) {
	p := show(t, "/")
	p.Await(`["environment", "files", "guests"].every(id => document.getElementById(id).dataset.state === "done")`)
	expect(t, p, "environment", "REQUEST_URI\t/environment", "SERVER_PROTOCOL\tHTTP/1.1", "HTTP_USER_AGENT\t")
	expect(t, p, "files", "files.go", "kB")
	expect(t, p, "guests", "Nobody has signed yet.")

	p.Click("run-all")
	p.Await(`document.body.dataset.state === "done"`)
	expect(t, p, "upload", "32.0 MB in ", "The browser computed the same SHA-256.")
	expect(t, p, "stream", "line 1 of 12\n", "line 12 of 12\n", "each line was a chunk of its own") // or nearly each, on a busy machine
	expect(t, p, "guests", "Somebody who ran everything")
	blameless(t, p)
}

// expect wants texts in an element.
func expect(t *testing.T, p *browser.Tab, id string, texts ...string) {
	t.Helper()
	got := p.Text(id)
	for _, want := range texts {
		if !strings.Contains(got, want) {
			t.Errorf("%s lacks %q: it shows\n%s", id, want, got)
		}
	}
}

// blameless fails the test if the page's console has complaints.
func blameless(t *testing.T, p *browser.Tab) {
	t.Helper()
	for _, w := range p.Complaints() {
		t.Errorf("the page: %s", w)
	}
}

// Behind a web server that collects answers, the page says so.
func TestStreamThatIsCollected(t *testing.T) {
	p := showThrough(t, "/", func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
		})
	})
	p.Click("stream-start")
	p.Await(`document.getElementById("stream").dataset.state === "done"`)
	expect(t, p, "stream", "line 1 of 12\n", "line 12 of 12\n", "12 lines came in 1 chunk.")
	blameless(t, p)
}

// A visitor who leaves in the midst of a stream stops it.
func TestLeaveTheStream(t *testing.T) {
	p := show(t, "/")
	p.Click("stream-start")
	p.Await(`document.querySelectorAll("#stream li").length >= 2`)
	p.Click("stream-stop")
	p.Await(`document.getElementById("stream").dataset.state === "done"`)
	expect(t, p, "stream", "You left, the handler was told")
	p.Await(`document.getElementById("stats").innerText.includes("given up by visitors\n1")`)
	blameless(t, p)
}

// Names are shown as they are, whatever is in them.
func TestGuestBookIsSafe(t *testing.T) {
	p := show(t, "/")
	p.Eval(`document.getElementById("guests-name").value = "<img src=x onerror=alert(1)>"`)
	p.Eval(`document.getElementById("guests-form").requestSubmit()`)
	p.Await(`document.querySelector("#guests li")`)
	expect(t, p, "guests", "<img src=x onerror=alert(1)>")
	blameless(t, p)
}

// The code of a handler is there to be read, and directories to be gone into.
func TestLooksInside(t *testing.T) {
	p := show(t, "/")
	p.Eval(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	p.Await(`[...document.querySelectorAll("pre")].every(pre => pre.textContent.startsWith("package main"))`)
	blameless(t, p)
}

// Before anything was run no button touches the line below it.
func TestButtonsKeepTheirDistance(t *testing.T) {
	p := show(t, "/")
	p.Await(`document.getElementById("guests").dataset.state === "done"`)
	const distances = `[...document.querySelectorAll(".actions")].map(a =>
		a.parentElement.querySelector("details").getBoundingClientRect().top - a.getBoundingClientRect().bottom)`
	if p.Eval(distances+`.every(d => d >= 12)`) != "true" {
		t.Errorf("between buttons and lines are %s pixels", p.Eval(distances))
	}
}

// On a phone nothing is wider than the screen.
func TestNarrow(t *testing.T) {
	p := show(t, "/?run")
	p.Call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": true}, nil)
	p.Eval(`document.querySelectorAll("details").forEach(d => { d.open = true })`)
	p.Await(`document.body.dataset.state === "done"`)
	if got := p.Eval(`document.documentElement.scrollWidth`); got != "360" {
		t.Errorf("the page is %s pixels wide on a screen of 360", got)
	}
}
