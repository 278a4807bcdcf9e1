//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

const (
	readers = 10 // connections that read
	asks    = 50 // requests on each of these, once the others have had their way
)

// A row is what was found about one kind of server.
type row struct {
	name        string
	asked       int   // requests of those that read nothing, as far as they were sent
	begun       int64 // of these, those that have a handler, or have had one
	buffered    int64 // what the server says that waits, in bytes
	heap        uint64
	stacks      uint64
	peak        int64 // of the process, in bytes
	uncollected int64 // the same without GOMEMLIMIT
	answered    int   // requests of those that read
	refused     int   // of these, with OVERLOADED
	slowest     time.Duration
}

// measureTwice measures a server with GOMEMLIMIT, and its peak without it as well.
func (s *settings) measureTwice(ctx context.Context, name string) (row, error) {
	with := *s
	with.collects = true
	r, err := with.measure(ctx, name)
	if err == nil {
		err = r.verdict(s)
	}
	without, failed := s.measure(ctx, name)
	r.uncollected = without.peak
	return r, errors.Join(err, failed)
}

// measure has one server bear it all.
func (s *settings) measure(ctx context.Context, name string) (r row, err error) {
	dir, err := os.MkdirTemp("", "unread")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	r.name = name
	socket := filepath.Join(dir, "socket")
	cmd, err := s.start(ctx, name, socket)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, end(cmd)) }()
	asking := &client.Client{KeepConn: true, MaxIdle: readers, Dial: func(ctx context.Context) (net.Conn, error) {
		return dial(ctx, socket)
	}}
	defer asking.Close()
	if _, err := s.about(ctx, asking); err != nil {
		return r, err
	}

	f := newFlood(ctx, s, socket)
	defer f.close()
	meanwhile := s.read(ctx, asking, f.settled)
	if err := meanwhile.err; err != nil {
		return r, err
	}
	at, err := s.about(ctx, asking)
	if err != nil {
		return r, err
	}
	r.asked, r.begun = f.taken(), at.Begun-int64(meanwhile.answered)
	r.buffered, r.heap, r.stacks = at.Stats.BufferedBytes, at.Heap, at.Stacks
	if s.heap != "" {
		if err := s.profile(ctx, asking, s.heap+strings.ReplaceAll(name, "/", "-")); err != nil {
			return r, err
		}
	}
	n := asks
	after := s.read(ctx, asking, func() bool { n--; return n < 0 })
	r.answered, r.refused = meanwhile.answered+after.answered, meanwhile.refused+after.refused
	r.slowest = max(meanwhile.slowest, after.slowest)
	r.peak, err = peak(cmd.Process.Pid)
	return r, errors.Join(err, after.err)
}

// start starts the server.
func (s *settings) start(ctx context.Context, name, socket string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", name, "-socket", socket,
		"-limit", strconv.Itoa(s.limit), "-size", strconv.Itoa(s.size), "-conns", strconv.Itoa(s.conns))
	cmd.Stderr = os.Stderr
	if s.collects {
		cmd.Env = append(os.Environ(), fmt.Sprintf("GOMEMLIMIT=%dMiB", s.limit+collectAt))
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, cmd.Start()
}

// end has the server end, as fast as it can.
func end(cmd *exec.Cmd) error {
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	_ = cmd.Wait() // it was killed
	return nil
}

// peak is the most memory that a process has had.
func peak(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	words := strings.Fields(string(rest))
	if len(words) == 0 {
		return 0, errors.New("the kernel does not say how much memory the server has had")
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	return n << 10, err
}

// about asks the server about itself.
func (s *settings) about(ctx context.Context, c *client.Client) (a about, err error) {
	b, _, err := ask(ctx, c, "about")
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	return a, err
}

// profile writes the server's heap profile to a file.
func (s *settings) profile(ctx context.Context, c *client.Client, path string) error {
	b, _, err := ask(ctx, c, "heap")
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o644)
}

// parameters are those of a request, in the usual number.
func parameters(query string) []client.Pair {
	return []client.Pair{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "QUERY_STRING", Value: query},
		{Name: "REQUEST_URI", Value: "/some/where?" + query},
		{Name: "SCRIPT_NAME", Value: "/some/where"},
		{Name: "GATEWAY_INTERFACE", Value: "CGI/1.1"},
		{Name: "SERVER_PROTOCOL", Value: "HTTP/1.1"},
		{Name: "SERVER_NAME", Value: "example.com"},
		{Name: "SERVER_PORT", Value: "80"},
		{Name: "REMOTE_ADDR", Value: "192.0.2.1"},
		{Name: "HTTP_HOST", Value: "example.com"},
	}
}

// ask returns the body of an answer, and whether the request was refused.
func ask(ctx context.Context, c *client.Client, query string) (body []byte, refused bool, err error) {
	resp, err := c.Do(ctx, &client.Request{Params: parameters(query)})
	if no := (*client.RefusedError)(nil); errors.As(err, &no) && no.Status == protocol.StatusOverloaded {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer resp.Close()
	all, err := io.ReadAll(resp)
	if err != nil {
		return nil, false, err
	}
	_, body, found := bytes.Cut(all, []byte("\r\n\r\n"))
	if !found {
		return nil, false, fmt.Errorf("the answer has no header: %.100q", all)
	}
	return body, false, nil
}

// A reading is what those found who ask and read.
type reading struct {
	answered, refused int
	slowest           time.Duration
	err               error
}

// read has readers ask, each on a connection of its own, in turns, until done is true.
func (s *settings) read(ctx context.Context, c *client.Client, done func() bool) (all reading) {
	var mu sync.Mutex
	turn := func() {
		began := time.Now()
		body, refused, err := ask(ctx, c, "")
		took := time.Since(began)
		if err == nil && !refused && len(body) != s.size {
			err = fmt.Errorf("wrong answer: %d bytes, want %d", len(body), s.size)
		}
		mu.Lock()
		defer mu.Unlock()
		all.slowest = max(all.slowest, took)
		all.err = errors.Join(all.err, err)
		if refused {
			all.refused++
		} else {
			all.answered++
		}
	}
	for all.err == nil && !done() {
		var turns sync.WaitGroup
		for range readers {
			turns.Go(turn)
		}
		turns.Wait()
	}
	return all
}
