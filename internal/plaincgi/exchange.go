// Package plaincgi is the web server's end for a program that was started as plain
// CGI (RFC 3875): environment, standard input and standard output are put into
// records and go the way of every other request.
//
// It sits on package protocol; only the root package imports it.
package plaincgi

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// requestID is the id of the one request.
const requestID = 1

// Exchange is the web server's end of the one request, on a connection to the
// server. It returns the appStatus.
//
// Standard output is the response, so it is kept from everybody else meanwhile:
// what the program prints, a library's greeting for instance, goes to standard
// error, and does not end up in front of the header.
func Exchange(ctx context.Context, conn net.Conn) (uint32, error) {
	stdout, err := takeStdout()
	if err != nil {
		return 0, err
	}
	defer stdout.Close()
	pc := protocol.NewConn(protocol.WebServer, nil)
	head, err := begin(pc)
	if err != nil {
		return 0, err
	}
	body, ends := requestBody()
	taken := make(chan struct{})
	go func() {
		defer close(taken)
		_ = send(conn, head, body)
		_, _ = io.Copy(io.Discard, body)
	}()
	status, err := receive(conn, pc, stdout, os.Stderr)
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

// begin returns what a web server would send before the body.
func begin(pc *protocol.Conn) ([]byte, error) {
	head, err := pc.Begin(nil, requestID, protocol.BeginRequest{Role: protocol.RoleResponder})
	if err != nil {
		return nil, err
	}
	var block []byte
	for _, v := range os.Environ() {
		if name, value, ok := strings.Cut(v, "="); ok && name != "" {
			block = protocol.AppendPair(block, name, value)
		}
	}
	head = protocol.AppendStream(head, protocol.TypeParams, requestID, block)
	return protocol.AppendStreamEnd(head, protocol.TypeParams, requestID), nil
}

// requestBody returns the part of standard input that is the request's body, which
// need not be followed by an end of file (RFC 3875 §4.2), and whether it is
// sure to end.
func requestBody() (body io.Reader, ends bool) {
	if n, err := strconv.ParseInt(os.Getenv("CONTENT_LENGTH"), 10, 64); err == nil && n >= 0 {
		return io.LimitReader(os.Stdin, n), true
	}
	return os.Stdin, os.Getenv("HTTP_TRANSFER_ENCODING") != ""
}

// send sends the parameters and the body.
func send(conn net.Conn, head []byte, body io.Reader) error {
	if _, err := conn.Write(head); err != nil {
		return err
	}
	buf := make([]byte, 32<<10)
	var out []byte
	for {
		n, err := body.Read(buf)
		out = protocol.AppendStream(out[:0], protocol.TypeStdin, requestID, buf[:n])
		if err != nil {
			out = protocol.AppendStreamEnd(out, protocol.TypeStdin, requestID)
		}
		if _, err := conn.Write(out); err != nil {
			return err
		}
		if err != nil {
			return nil
		}
	}
}

// receive passes the answer on and returns its appStatus.
func receive(conn net.Conn, pc *protocol.Conn, stdout, stderr io.Writer) (uint32, error) {
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
