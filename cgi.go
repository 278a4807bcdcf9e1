package fastcgi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
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
	status, err := exchangeCGI(ctx, near)
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
func exchangeCGI(ctx context.Context, conn net.Conn) (uint32, error) {
	pc := protocol.NewConn(protocol.WebServer, nil)
	head, err := beginCGI(pc)
	if err != nil {
		return 0, err
	}
	body, ends := cgiBody()
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		_ = sendCGI(conn, head, body)
		_, _ = io.Copy(io.Discard, body)
	}()
	status, err := receiveCGI(conn, pc, os.Stdout, os.Stderr)
	// A handler may answer without reading the body, but Apache's mod_cgid
	// passes no answer on if the program ends before it has taken it all. Where
	// nobody says that standard input ends, the copy ends with the process.
	if err == nil && ends {
		conn.Close()
		select {
		case <-taken:
		case <-ctx.Done():
		}
	}
	return status, err
}

// beginCGI returns what a web server would send before the body.
func beginCGI(pc *protocol.Conn) ([]byte, error) {
	head, err := pc.Begin(nil, cgiRequestID, protocol.BeginRequest{Role: protocol.RoleResponder})
	if err != nil {
		return nil, err
	}
	var block []byte
	for _, v := range os.Environ() {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			block = protocol.AppendPair(block, name, value)
		}
	}
	head = protocol.AppendStream(head, protocol.TypeParams, cgiRequestID, block)
	return protocol.AppendStreamEnd(head, protocol.TypeParams, cgiRequestID), nil
}

// cgiBody returns the part of standard input that is the request's body, which
// need not be followed by an end of file (RFC 3875 §4.2), and whether it is
// sure to end.
func cgiBody() (body io.Reader, ends bool) {
	if n, err := strconv.ParseInt(os.Getenv("CONTENT_LENGTH"), 10, 64); err == nil && n >= 0 {
		return io.LimitReader(os.Stdin, n), true
	}
	return os.Stdin, os.Getenv("HTTP_TRANSFER_ENCODING") != ""
}

// sendCGI sends the parameters and the body.
func sendCGI(conn net.Conn, head []byte, body io.Reader) error {
	if _, err := conn.Write(head); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	var out []byte
	for {
		n, err := body.Read(buf)
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
