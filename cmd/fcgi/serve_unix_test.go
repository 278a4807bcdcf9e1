//go:build unix

package main

import (
	"encoding/json"
	"io"
	"maps"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestServe(t *testing.T) {
	s := begin(t, onFreePort()...).ready()
	if got, want := s.get("/some/page"), "application: GET /some/page\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	s.stop()
	log := s.end(exitOK)
	for _, want := range []string{
		"fcgi    ", os.Args[0] + " answers at " + s.url, "Ctrl-C finishes what is under way", "| stopping\n", "| stopped",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("nothing says %q in:\n%s", want, log)
		}
	}
}

// F15: how private the socket is, and that not even a crash leaves it behind, is tested where it is made.
func TestServeLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	s := begin(t, onFreePort()...).ready()
	s.get("/")
	s.stop()
	s.end(exitOK)
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%v is left behind", left)
	}
}

func TestServeFilesFirst(t *testing.T) {
	root := t.TempDir()
	write(t, root, "page.html", "a file")
	s := begin(t, onFreePort("--root", root)...).ready()
	for path, want := range map[string]string{
		"/page.html":  "a file",
		"/other.html": "application: GET /other.html\n",
	} {
		if got := s.get(path); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

// A client that does not clean paths, as browsers do, gets no further than one that does.
func TestServeLetsNobodyOutOfRoot(t *testing.T) {
	parent := t.TempDir()
	write(t, parent, "secret", "nobody's business")
	write(t, parent, "root/page.html", "a file")
	s := begin(t, onFreePort("--root", filepath.Join(parent, "root"))...).ready()
	for _, path := range []string{"/../secret", "/%2e%2e/secret", "/..%2fsecret", "//../secret", "/a/../../secret", "/%5c..%5csecret"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
		answer, err := io.ReadAll(conn)
		conn.Close()
		if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 ") || strings.Contains(string(answer), "business") {
			t.Errorf("%s is answered %q (%v)", path, answer, err)
		}
	}
}

// F14: a worker that dies is replaced, after a pause that grows.
func TestServeRestartsWorkers(t *testing.T) {
	s := begin(t, onFreePort()...).ready()
	first := s.get("/pid")
	for _, pause := range []string{"100ms", "200ms"} {
		s.post("/exit?status=3")
		s.line("exited with status 3; starting it again in " + pause)
	}
	if second := s.get("/pid"); second == first {
		t.Errorf("process %s answers again", first)
	}
	s.stop()
	s.end(exitOK)
}

func TestServeRunsSeveralWorkers(t *testing.T) {
	s := begin(t, onFreePort("--workers", "3", "--json")...)
	pids := make(map[int]int)
	for range 3 {
		var started entry
		if err := json.Unmarshal([]byte(s.line(`"event":"started"`)), &started); err != nil {
			t.Fatal(err)
		}
		pids[started.PID] = started.Worker
	}
	if len(pids) != 3 {
		t.Fatalf("the processes and their workers are %v, want three", pids)
	}
	s.ready()
	for pid, worker := range pids {
		if err := syscall.Kill(pid, 0); err != nil {
			t.Errorf("worker %d, process %d: %v", worker, pid, err)
		}
	}
}

// CVE-2015-9253 and its like: what an application writes cannot pass for something else on a terminal.
func TestServeShowsWhatTheApplicationWrites(t *testing.T) {
	s := begin(t, onFreePort()...).ready()
	s.line("Ctrl-C")
	s.get("/say?text=" + url.QueryEscape("one\n\x1b[2Jtwo\rfcgi | forged\x00\xff\n\nüber\tall\n"))
	name := s.line("| one")
	name = strings.TrimSuffix(name, "one")
	for _, want := range []string{`\x1b[2Jtwo\rfcgi | forged\x00\xff`, "", "über\tall"} {
		if line := <-s.lines; line != name+want {
			t.Errorf("got %q, want %q", line, name+want)
		}
	}
	if strings.HasPrefix(name, "fcgi ") {
		t.Errorf("the lines begin with %q, which is not the application's name", name)
	}
}

func TestServeNumbersTheLinesOfSeveralWorkers(t *testing.T) {
	s := begin(t, onFreePort("-n", "2")...).ready()
	s.get("/say?text=something%0A")
	line := s.line("| something")
	if name, _, _ := strings.Cut(line, " | "); !strings.HasSuffix(name, " 1") && !strings.HasSuffix(name, " 2") {
		t.Errorf("%q does not say which worker wrote it", line)
	}
}

func TestServeForPrograms(t *testing.T) {
	s := begin(t, onFreePort("--json")...).ready()
	s.get("/say?text=" + url.QueryEscape("a \"b\" <c>\n"))
	s.line("output")
	s.post("/exit?status=4")
	s.line(`"event":"ended"`)
	s.line(`"event":"started"`)
	s.stop()
	events := make(map[string]int)
	for line := range strings.Lines(s.end(exitOK)) {
		var e entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		if e.Time.IsZero() || e.Text == "" {
			t.Errorf("time or text is missing in %s", line)
		}
		if e.Event == "output" && (e.Text != `a "b" <c>` || e.PID == 0 || e.Worker != 1) {
			t.Errorf("got %+v", e)
		}
		events[e.Event]++
	}
	want := map[string]int{"started": 2, "ready": 1, "output": 1, "ended": 1, "warning": 1, "draining": 1, "stopped": 1}
	if !maps.Equal(events, want) { // the warning is about the request that got no answer
		t.Errorf("the events are %v, want %v", events, want)
	}
}

// An application may believe no other web servers than those it is told of, and cannot be told of a Unix socket.
func TestServeKeepsOtherSocketsOutOfTheEnvironment(t *testing.T) {
	for _, name := range []string{"FCGI_WEB_SERVER_ADDRS", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"} {
		t.Setenv(name, "1")
	}
	t.Setenv("OTHER", "kept")
	s := begin(t, onFreePort()...).ready()
	for name, want := range map[string]string{
		"FCGI_WEB_SERVER_ADDRS": "", "LISTEN_FDS": "", "LISTEN_PID": "", "LISTEN_FDNAMES": "", "OTHER": "kept",
	} {
		if got := s.get("/environment?name=" + name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func TestServeWaitsForNoAnswerForever(t *testing.T) {
	s := begin(t, "serve", "--listen", "127.0.0.1:0", "--", os.Args[0], "play-mute")
	s.line("has not answered yet")
	s.stop()
	s.end(exitOK)
}

func TestServeTellsOtherProtocolsApart(t *testing.T) {
	s := begin(t, "serve", "--listen", "127.0.0.1:0", "--", os.Args[0], "play-smtp")
	s.line("does not speak FastCGI as it should")
	s.stop()
	s.end(exitOK)
}

// F13, A47: what is under way is finished, and then everything ends.
func TestCtrlCDrains(t *testing.T) {
	for _, sig := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			// What is ignored here, as under nohup, would be so in the process as well.
			caught := make(chan os.Signal, 1)
			signal.Notify(caught, sig)
			defer signal.Stop(caught)
			s := beginProcess(t, onFreePort("--workers", "2")...).ready()
			request := s.hold()
			s.process.Signal(sig)
			s.line("finishing 1 request; Ctrl-C again stops at once")
			for s.takesConnections() { // not for long
			}
			request.release()
			if answer := <-request.answer; answer != "held\n" {
				t.Errorf("the request under way got %q", answer)
			}
			if log := s.end(exitOK); !strings.Contains(log, "| stopped") {
				t.Errorf("nothing says that it stopped:\n%s", log)
			}
		})
	}
}

// F13: the second signal is immediate.
func TestSecondCtrlCStopsAtOnce(t *testing.T) {
	s := beginProcess(t, onFreePort()...).ready()
	request := s.hold()
	s.process.Signal(os.Interrupt)
	s.line("finishing 1 request")
	ended := make(chan struct{})
	go func() { // again and again, since one that comes too soon counts as the first
		for {
			select {
			case <-ended:
				return
			case <-time.After(20 * time.Millisecond):
				s.process.Signal(os.Interrupt)
			}
		}
	}()
	log := s.end(exitFailed)
	close(ended)
	if want := "fcgi: stopped at once, cutting off 1 request"; !strings.Contains(log, want) {
		t.Errorf("nothing says %q in:\n%s", want, log)
	}
	request.waitForDeath()
	if answer := <-request.answer; answer == "held\n" {
		t.Error("the request was finished")
	}
}

// With --drain below zero, requests are waited for however long they take.
func TestDrainWithoutLimit(t *testing.T) {
	s := begin(t, onFreePort("--drain", "-1s")...).ready()
	request := s.hold()
	s.stop()
	s.line("finishing 1 request")
	request.release()
	if answer := <-request.answer; answer != "held\n" {
		t.Errorf("the request under way got %q", answer)
	}
	s.end(exitOK)
}

func TestDrainEnds(t *testing.T) {
	s := begin(t, onFreePort("--drain", "1ns")...).ready()
	request := s.hold()
	s.stop()
	log := s.end(exitFailed)
	for _, want := range []string{"fcgi: stopped after 1ns, cutting off 1 request", "--drain 2ns"} {
		if !strings.Contains(log, want) {
			t.Errorf("nothing says %q in:\n%s", want, log)
		}
	}
	request.waitForDeath()
	<-request.answer
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
