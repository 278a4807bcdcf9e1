package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// cgiRequestID is the id of the one request.
const cgiRequestID = 1

// runCGI serves the request of a plain CGI program: environment, standard input
// and standard output (RFC 3875) are put into records and go the way of every
// other request.
func (s *Server) runCGI(ctx context.Context) error {
	near, far := net.Pipe()
	l := &oneListener{conn: far, done: make(chan struct{})}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(l) })
	stop := context.AfterFunc(ctx, func() { s.Close() })
	status, err := exchangeCGI(near, os.Environ(), os.Stdin, os.Stdout, os.Stderr)
	stop()
	near.Close()
	s.Close()
	serving.Wait()
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("fastcgi: plain CGI request failed: %w", err)
	}
	if status != 0 {
		return fmt.Errorf("fastcgi: plain CGI request ended with appStatus %d", status)
	}
	return nil
}

// exchangeCGI is the web server's end of the request.
func exchangeCGI(conn net.Conn, env []string, stdin io.Reader, stdout, stderr io.Writer) (uint32, error) {
	pc := protocol.NewConn(protocol.WebServer, nil)
	head, err := pc.Begin(nil, cgiRequestID, protocol.BeginRequest{Role: protocol.RoleResponder})
	if err != nil {
		return 0, err
	}
	var block []byte
	for _, v := range env {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			block = protocol.AppendPair(block, name, value)
		}
	}
	head = protocol.AppendStream(head, protocol.TypeParams, cgiRequestID, block)
	head = protocol.AppendStreamEnd(head, protocol.TypeParams, cgiRequestID)
	// A handler may answer without reading standard input, and nothing
	// interrupts a read of that: the copy ends with the process at the latest,
	// and an error of it matters to nobody who has the answer.
	go func() { _ = sendCGI(conn, head, stdin) }()
	return receiveCGI(conn, pc, stdout, stderr)
}

// sendCGI sends the parameters and standard input.
func sendCGI(conn net.Conn, head []byte, stdin io.Reader) error {
	if _, err := conn.Write(head); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	var out []byte
	for {
		n, err := stdin.Read(buf)
		out = protocol.AppendStream(out[:0], protocol.TypeStdin, cgiRequestID, buf[:n])
		if err != nil {
			out = protocol.AppendStreamEnd(out, protocol.TypeStdin, cgiRequestID)
		}
		if _, err := conn.Write(out); err != nil {
			return err
		}
		if err != nil {
			return nil
		}
	}
}

// receiveCGI passes the answer on and returns its appStatus.
func receiveCGI(conn net.Conn, pc *protocol.Conn, stdout, stderr io.Writer) (uint32, error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := conn.Read(buf)
		for p := buf[:n]; len(p) > 0; {
			var ev protocol.Event
			var failed error
			if ev, p, failed = pc.Next(p); failed != nil {
				return 0, failed
			}
			switch ev.Type {
			case protocol.TypeStdout:
				_, failed = stdout.Write(ev.Data)
			case protocol.TypeStderr:
				_, failed = stderr.Write(ev.Data)
			case protocol.TypeEndRequest:
				if ev.Status != protocol.StatusRequestComplete {
					return 0, errors.New("the request was refused: " + ev.Status.String())
				}
				return ev.AppStatus, nil
			}
			if failed != nil {
				return 0, failed
			}
		}
		if err != nil {
			return 0, err
		}
	}
}

// A oneListener accepts one connection, then waits to be closed.
type oneListener struct {
	mu   sync.Mutex
	conn net.Conn
	done chan struct{}
	once sync.Once
}

func (l *oneListener) Accept() (net.Conn, error) {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	l.mu.Unlock()
	if c != nil {
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}

// Close also closes the connection if nobody has accepted it, as happens where
// the server is closed before it serves.
func (l *oneListener) Close() error {
	l.once.Do(func() { close(l.done) })
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
	return nil
}

func (l *oneListener) Addr() net.Addr { return &net.UnixAddr{Name: "cgi", Net: "unix"} }
