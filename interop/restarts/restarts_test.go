package main

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/simple-fastcgi/fastcgi/interop"
)

func TestMarkdown(t *testing.T) {
	const want = `32 clients, each with its next request as soon as it has its answer, 100,000 requests for each line, and a restart
after every 2,000. Handlers are of the kind http.

|  | configuration | method | requests | restarts | failed | longest wait | the old process ended within |
|---|---|---|---|---|---|---|---|
| [nginx](nginx.md) 1.2 | [a.conf](nginx/a.conf) | GET | 100,000 | 50 | none | 0.41 s | 0.26 s |
| [HAProxy](haproxy.md) 2.6 | [b.cfg](haproxy/b.cfg) | POST | 100,000 | 50 | 3 <sup>1</sup> | 1.00 s | 0.30 s |

One restart while streams of events are open, whose handlers know of the end, and others ask all the time:

|  | configuration | handlers | streams | ended in order | new requests | failed | longest wait | the old process ended within |
|---|---|---|---|---|---|---|---|---|
| [nginx](nginx.md) 1.2 | [a.conf](nginx/a.conf) | sync | 1,000 | 999 | 432 | 1 <sup>2</sup> | 0.41 s | 0.26 s |

1. HAProxy, b.cfg, POST: connection lost: 1, status 502: 2
2. nginx, a.conf, GET: status 502: 1

Measured on 2026-11-28 by ` + "`make restarts`" + `, with go1.25 on 2 processors.
`
	run := interop.RestartRun{
		Page: "nginx", Column: "nginx", Version: "1.2", Config: "a.conf", Mode: "http", Method: "GET",
		Clients: 32, Requests: 100_000, Restarts: 50, Longest: 0.402, Ended: 0.252, Date: "2026-11-28", Go: "go1.25", CPUs: 2,
	}
	lossy := run
	lossy.Page, lossy.Column, lossy.Version, lossy.Config, lossy.Method = "haproxy", "HAProxy", "2.6", "b.cfg", "POST"
	lossy.Failures = map[string]int{"status 502": 2, "connection lost": 1}
	lossy.Longest, lossy.Ended = 0.991, 0.3-0.005
	streams := run
	streams.Mode, streams.Requests, streams.Restarts, streams.Streams, streams.Orderly = "sync", 432, 1, 1000, 999
	streams.Failures = map[string]int{"status 502": 1}
	if got := markdown([]interop.RestartRun{run, lossy, streams}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 100_000: "100,000", 1_234_567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d is %q, not %q", n, got, want)
		}
	}
}

func TestNothingMeasured(t *testing.T) {
	if err := run(io.Discard, filepath.Join(t.TempDir(), "missing"), false); err == nil {
		t.Error("nothing is a result")
	}
}

// What is kept is the same, whoever wrote it: the page shows what restarts.json says.
func TestPageIsGenerated(t *testing.T) {
	text, err := os.ReadFile("../restarts.json")
	if err != nil {
		t.Fatal(err)
	}
	var runs []interop.RestartRun
	if err := json.Unmarshal(text, &runs); err != nil {
		t.Fatal(err)
	}
	if again, err := interop.Encode(runs); err != nil || string(again) != string(text) {
		t.Errorf("%s is not as it was written: %v", record, err)
	}
	page, err := os.ReadFile("../../docs/servers.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := interop.ReplaceSection(string(page), command, markdown(runs))
	if err != nil {
		t.Fatal(err)
	}
	if string(page) != want {
		t.Errorf("docs/servers.md does not show %s: run `%s`", record, command)
	}
}
