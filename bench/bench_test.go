//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestMain(m *testing.M) { leak.Main(m) }

// The peers that need nothing but Go and a C compiler.
const fewPeers = "*-loop,http-goroutine,net-http-fcgi,net-http"

// TestQuick does all work, a little of it, so that the benchmark does not rot. What
// the figures are it cannot know, but that they are there, and that answers were
// verified: TestWrongAnswersAreSeen says what that is worth.
func TestQuick(t *testing.T) {
	if runtime.NumCPU() < 2 {
		required.Missing(t, "the benchmark needs two processors")
	}
	if _, err := exec.LookPath("nginx"); err != nil && os.Getenv("FASTCGI_REQUIRE_SERVERS") == "1" {
		t.Fatal("nginx is not installed (Debian: nginx-light)")
	}
	var stdout, stderr bytes.Buffer
	args := []string{"-quick", "-json", "-peers", fewPeers, "-bin", t.TempDir()}
	if err := run(t.Context(), args, &stdout, &stderr); err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var r report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("%v in %s", err, stdout.String())
	}
	for _, w := range works {
		for _, p := range peers {
			if (p.id == floorID || harness.Matches(fewPeers, p.id)) && w.asks(p) {
				checkResult(t, r, w, p)
			}
		}
	}
	if len(r.Missing) != len(absent) {
		t.Errorf("missing are %v", r.Missing)
	}
}

// checkResult looks for one result, or for the reason why it is not there.
func checkResult(t *testing.T, r report, w work, p peer) {
	t.Helper()
	for _, g := range r.Gaps {
		if g.Work == w.id && g.Peer == p.name && g.Reason != "" {
			return
		}
	}
	for _, res := range r.of(w.id) {
		if res.Peer != p.name {
			continue
		}
		timed := res.CPU > 0 && res.Rate > 0 && res.P50 > 0 && res.P99 >= res.P50
		if res.Requests == 0 || res.Peak == 0 || timed == (w.id == "idle" || w.id == "waiting") {
			t.Errorf("%s, %s: %+v", w.id, p.name, res)
		}
		if p.id == floorID && timed && res.Ratio != 1 {
			t.Errorf("%s: the floor is %v times itself", w.id, res.Ratio)
		}
		return
	}
	t.Errorf("%s, %s: neither a result nor a reason", w.id, p.name)
}

func TestArguments(t *testing.T) {
	for _, tt := range []struct {
		args []string
		says string // empty if nothing is wrong
	}{
		{[]string{"-only", "hello-*,idle", "-peers", "async-loop, php-fpm"}, ""},
		{[]string{"-only", "hullo"}, `-only "hullo" fits nothing; choose of hello-keep, hello-close,`},
		{[]string{"-peers", "floor,rust"}, `-peers "rust" fits nothing; choose of floor, async-loop,`},
		{[]string{"-requests", "0"}, "at least 1"},
		{[]string{"hello-keep"}, `what is "hello-keep"?`},
		{[]string{"-write", "-quick"}, "-write is for whole runs"},
		{[]string{"-write", "-peers", "floor"}, "-write is for whole runs"},
	} {
		var stderr bytes.Buffer
		_, err := parse(tt.args, &stderr)
		switch {
		case tt.says == "" && err != nil:
			t.Errorf("%q: %v", tt.args, err)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%q: error is %v, want one with %q", tt.args, err, tt.says)
		}
	}
}

// TestGapsFit finds gaps of work that there is not, which would never be seen.
func TestGapsFit(t *testing.T) {
	for _, p := range peers {
		for _, g := range p.gaps {
			if err := harness.NoMatch(p.id, g.works, workIDs()); err != nil {
				t.Error(err)
			}
		}
	}
	for _, w := range works {
		if w.peers != "" {
			if err := harness.NoMatch(w.id, w.peers, peerIDs()); err != nil {
				t.Error(err)
			}
		}
	}
}
