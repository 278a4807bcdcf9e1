//go:build unix

package interop_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A mishap is a line of a web server's error log that the web server's page explains, with what brings it about.
type mishap struct {
	name   string
	log    string                       // as the page has it
	serve  func(t *testing.T, p *place) // the application; nil: there is none
	around string                       // directives
	ask    func(t *testing.T, s *site)  // what the client does; nil: it gets status
	status int
}

func (m *mishap) happen(t *testing.T, server *webServer) { m.happenWith(t, server, "minimal.conf") }

// happenWith has it happen with a configuration of the page's.
func (m *mishap) happenWith(t *testing.T, server *webServer, config string) {
	wantExplained(t, server, m.log)
	p := newPlace(t)
	if m.serve != nil {
		m.serve(t, p)
	}
	s := server.run(t, p, config, m.around)
	if m.ask != nil {
		m.ask(t, s)
	} else {
		wantStatus(t, s.get(t, ""), m.status)
	}
	s.wantLog(t, m.log)
}

// breaksOff fails the test unless the response ends before its body does.
func breaksOff(t *testing.T, s *site) {
	t.Helper()
	if a, err := s.try(s.request(t, http.MethodGet, "", nil)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the response is whole: %q, %v", a.body, err)
	}
}

// leaves is a client that does not wait for the answer.
func leaves(t *testing.T, s *site) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond) // enough for a busy web server to ask the application
	defer cancel()
	if _, err := s.try(s.request(t, http.MethodGet, "", nil).WithContext(ctx)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("left with %v", err)
	}
}

// leaveSocketFile leaves a socket's file without a socket, as a crash does.
func leaveSocketFile(t *testing.T, p *place) {
	t.Helper()
	l := listenUnix(t, p)
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func listenUnix(t *testing.T, p *place) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: p.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fillBacklog has as many connections wait for an application as may.
func fillBacklog(t *testing.T, p *place) {
	t.Helper()
	l := listenUnix(t, p)
	t.Cleanup(func() { l.Close() })
	raw, err := l.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var shortened error
	if err := raw.Control(func(fd uintptr) { shortened = syscall.Listen(int(fd), 0) }); err != nil || shortened != nil {
		t.Fatal(err, shortened)
	}
	for {
		c, err := net.Dial("unix", p.socket)
		if errors.Is(err, syscall.EAGAIN) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
	}
}

// reply returns an application that answers each connection's request, which must have no body, with some bytes, and
// closes it.
func reply(text string) func(*testing.T, *place) {
	return func(t *testing.T, p *place) {
		serveConns(t, listenUnix(t, p), func(c net.Conn) {
			awaitRequest(c)
			_, _ = io.WriteString(c, text)
		})
	}
}

// awaitRequest reads a request to its end. The web server may send it in pieces, and not like to be left between them.
func awaitRequest(c net.Conn) {
	const emptyStdin = "\x01\x05\x00\x01\x00\x00\x00\x00"
	var request []byte
	for !strings.HasSuffix(string(request), emptyStdin) {
		piece := make([]byte, 1<<16)
		n, err := c.Read(piece)
		if err != nil {
			return
		}
		request = append(request, piece[:n]...)
	}
}
