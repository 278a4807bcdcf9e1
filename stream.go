package fastcgi

import (
	"errors"
	"io"
	"runtime/debug"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A streamPanic is a panic in a sequence, with the stack that iter.Pull would
// lose on the way to whoever takes its pieces.
type streamPanic struct {
	reason any
	stack  []byte
}

func keepStack() {
	if reason := recover(); reason != nil {
		panic(streamPanic{reason, debug.Stack()})
	}
}

// panicStack returns what was panicked with, and where.
func panicStack(reason any) (any, []byte) {
	switch p := reason.(type) {
	case nil:
		return nil, nil
	case streamPanic:
		return p.reason, p.stack
	}
	return reason, debug.Stack()
}

// stream sends what src yields, on the loop, as the web server takes it.
func (ex Exchange) stream(src source) error {
	err := ex.attach(src)
	if err != nil {
		src.close()
	}
	return err
}

func (ex Exchange) attach(src source) error {
	defer ex.unlock()
	switch {
	case !ex.lock() || ex.x.async.finishing:
		return ErrFinished
	case ex.x.async.source != nil:
		return ErrFull
	}
	ex.x.async.source = src
	ex.conn.call(ex.x, callDrain)
	return nil
}

// pump moves pieces of the stream to the output until that is full. It runs on
// the loop.
func (ex Exchange) pump() {
	for range turnPieces {
		src := ex.streaming()
		if src == nil {
			return
		}
		piece, err := src.next()
		if !ex.sendPiece(piece, err) {
			src.close()
			ex.streamEnded()
			return
		}
	}
	defer ex.unlock()
	if ex.lock() && ex.x.async.source != nil {
		ex.conn.yield(ex.x, callDrain)
	}
}

// streaming returns the stream if there is one and room for more of it.
func (ex Exchange) streaming() source {
	defer ex.unlock()
	if !ex.lock() || ex.x.async.source == nil {
		return nil
	}
	x := ex.x
	if x.failed == nil && x.out.size >= outputLimit {
		x.async.stalled = true
		return nil
	}
	return x.async.source
}

// stopSource has the loop, where the stream is taken from, find that it is not
// wanted any more, and close it.
func (x *exchange) stopSource() {
	if x.async.source != nil {
		x.conn.call(x, callDrain)
	}
}

// sendPiece sends a piece, and reports whether the stream goes on.
func (ex Exchange) sendPiece(piece []byte, err error) bool {
	defer ex.unlock()
	if !ex.lock() {
		return false
	}
	x := ex.x
	if err == nil {
		_, err = x.write(protocol.TypeStdout, piece)
	}
	if err == nil {
		x.conn.flush(x)
		return true
	}
	x.async.source = nil
	if !errors.Is(err, io.EOF) && x.failed == nil {
		x.conn.service.log.Warn("fastcgi: response cut short", "error", err, "request", x.id)
		x.async.status = max(x.async.status, 1)
		x.appStatus = max(x.appStatus, 1)
	}
	return false
}

// streamEnded ends the request if Finish waits for the end of the stream. If
// that came of a cancellation, OnAbort is told first, as long as there is a
// request to be told of.
func (ex Exchange) streamEnded() {
	ex.aborted()
	defer ex.unlock()
	if ex.lock() && ex.x.async.finishing {
		ex.x.finish(ex.x.async.status)
	}
}
