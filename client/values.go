package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// valuesTimeout is how long an application may take to answer GET_VALUES. Some
// never do.
const valuesTimeout = 2 * time.Second

// GetValues asks the application for variables (§4.1), by default for
// protocol.VarMaxConns, VarMaxReqs and VarMpxsConns, on a connection of its own.
// The application leaves out what it does not know.
//
// An application need not answer at all. If it sends UNKNOWN_TYPE, closes the
// connection, or is silent for two seconds, the error wraps ErrNoValues; take it
// for one that serves one request at a time on a connection.
func (c *Client) GetValues(ctx context.Context, names ...string) (map[string]string, error) {
	if len(names) == 0 {
		names = []string{protocol.VarMaxConns, protocol.VarMaxReqs, protocol.VarMpxsConns}
	}
	dials := c.newDialing()
	g, nc, err := c.connect(ctx, brandNew, false, &dials)
	if err != nil {
		return nil, err
	}
	defer c.pool.unmade(g.number)
	defer nc.Close()
	if !c.pool.asks(g.number, nc) {
		return nil, ErrClosed
	}
	nc.SetDeadline(time.Now().Add(valuesTimeout))
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	values, err := askValues(nc, names)
	switch {
	case err == nil:
		return values, nil
	case c.pool.shut():
		return nil, ErrClosed
	case ctx.Err() != nil:
		return nil, fmt.Errorf("fastcgi: asking for values: %w", context.Cause(ctx))
	}
	return nil, noValues(err)
}

// noValues says what an error means for the question.
func noValues(err error) error {
	var broken *protocol.Error
	switch {
	case errors.As(err, &broken):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%w: it is silent", ErrNoValues)
	case errors.Is(err, ErrNoValues):
		return err
	}
	return fmt.Errorf("%w: %w", ErrNoValues, err)
}

func askValues(nc net.Conn, names []string) (map[string]string, error) {
	if _, err := nc.Write(protocol.AppendGetValues(nil, names...)); err != nil {
		return nil, err
	}
	proto := protocol.NewConn(protocol.WebServer, nil)
	values := make(map[string]string)
	buf := make([]byte, 4<<10)
	for {
		n, err := nc.Read(buf)
		done, takeErr := takeValues(proto, buf[:n], values)
		switch {
		case takeErr != nil:
			return nil, takeErr
		case done:
			return values, nil
		case errors.Is(err, io.EOF):
			return nil, fmt.Errorf("%w: it closed the connection", ErrNoValues)
		case err != nil:
			return nil, err
		}
	}
}

// takeValues adds what p tells to values, and reports whether that was all.
func takeValues(proto *protocol.Conn, p []byte, values map[string]string) (done bool, err error) {
	for len(p) > 0 && !done {
		var ev protocol.Event
		if ev, p, err = proto.Next(p); err != nil {
			return false, err
		}
		switch ev.Type {
		case protocol.TypeUnknownType:
			return false, fmt.Errorf("%w: %v is unknown to it", ErrNoValues, ev.Unknown)
		case protocol.TypeGetValuesResult:
			if ev.Name != nil {
				values[string(ev.Name)] = string(ev.Data)
			}
			done = ev.End
		}
	}
	return done, nil
}
