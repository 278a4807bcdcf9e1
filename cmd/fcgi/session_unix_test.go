//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// A session is fcgi serve at work, in this process or in one of its own.
type session struct {
	t       *testing.T
	url     string
	seen    []string    // lines so far
	lines   chan string // what it writes
	code    chan int    // its exit code
	stop    func()      // as a first Ctrl-C does
	process *os.Process // nil in this process
}

// onFreePort is the arguments of fcgi serve with some flags, for the application that most tests serve.
func onFreePort(flags ...string) []string {
	args := append([]string{"serve", "--listen", "127.0.0.1:0"}, flags...)
	return append(args, "--", os.Args[0], "play-app")
}

// begin runs the tool in this process, with both of its outputs as one.
func begin(t *testing.T, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	out, w := io.Pipe()
	s := &session{t: t, stop: cancel, code: make(chan int, 1)}
	s.read(out)
	go func() {
		s.code <- run(ctx, args, strings.NewReader(""), w, w)
		w.Close()
	}()
	t.Cleanup(func() {
		cancel()
		s.rest()
	})
	return s
}

// beginProcess runs the tool as a process of its own, for what happens to processes.
func beginProcess(t *testing.T, args ...string) *session {
	t.Helper()
	cmd := exec.Command(os.Args[0], append([]string{"play-fcgi"}, args...)...)
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	s := &session{t: t, code: make(chan int, 1), process: cmd.Process}
	s.stop = func() { cmd.Process.Signal(os.Interrupt) }
	s.read(out)
	go func() {
		cmd.Wait()
		s.code <- cmd.ProcessState.ExitCode()
	}()
	t.Cleanup(func() {
		cmd.Process.Kill()
		s.rest()
		out.Close()
	})
	return s
}

// read passes on the lines of r, of which there are fewer in a test than there is room for.
func (s *session) read(r io.Reader) {
	s.lines = make(chan string, 1000)
	go func() {
		defer close(s.lines)
		for lines := bufio.NewScanner(r); lines.Scan(); {
			s.lines <- lines.Text()
		}
	}()
}

// line waits for a line that contains a text, and returns it.
func (s *session) line(text string) string {
	s.t.Helper()
	for line := range s.lines {
		s.seen = append(s.seen, line)
		if strings.Contains(line, text) {
			return line
		}
	}
	s.t.Fatalf("no line says %q; there are:\n%s", text, strings.Join(s.seen, "\n"))
	return ""
}

// ready waits for the URL.
func (s *session) ready() *session {
	s.t.Helper()
	s.url = regexp.MustCompile(`http://[^ "]+`).FindString(s.line("http://"))
	s.t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return s
}

// rest returns everything else that is written until the end, and forgets it.
func (s *session) rest() string {
	for line := range s.lines {
		s.seen = append(s.seen, line)
	}
	all := strings.Join(s.seen, "\n")
	s.seen = nil
	return all
}

// end waits for the end and checks the exit code. It returns everything that was written.
func (s *session) end(want int) string {
	s.t.Helper()
	all := s.rest()
	if code := <-s.code; code != want {
		s.t.Errorf("exit code %d, want %d, after:\n%s", code, want, all)
	}
	return all
}

// get returns the body of a page.
func (s *session) get(path string) string {
	s.t.Helper()
	return s.body(http.Get(s.url + path))
}

// post is for what must not be tried again when it fails.
func (s *session) post(path string) string {
	s.t.Helper()
	return s.body(http.Post(s.url+path, "text/plain", nil))
}

func (s *session) body(resp *http.Response, err error) string {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(body)
}

func (s *session) takesConnections() bool {
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	if err == nil {
		conn.Close()
	}
	return err == nil
}

// A held request is under way in the application until it is released.
type held struct {
	until  net.Conn    // with the application
	answer chan string // "" where there is none
}

func (s *session) hold() held {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	answer := make(chan string, 1)
	go func() {
		resp, err := http.Get(s.url + "/hold?until=" + l.Addr().String())
		if err != nil {
			answer <- ""
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answer <- string(body)
	}()
	until, err := l.Accept()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { until.Close() })
	return held{until, answer}
}

func (h held) release() { h.until.Close() }

// waitForDeath returns once the application's process is gone.
func (h held) waitForDeath() { io.Copy(io.Discard, h.until) }
