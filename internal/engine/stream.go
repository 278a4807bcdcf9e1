package engine

import (
	"errors"
	"io"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Source yields a body piece by piece, io.EOF after the last.
type Source interface {
	// Next returns the next piece, which is used before the next call.
	Next() ([]byte, error)
	// Close is called once, whether or not Next has returned an error.
	Close()
}

// Stream sends what src yields, on the loop, as the web server takes it. It takes
// src over, also if it returns an error.
func (r Ref) Stream(src Source) error {
	err := r.attach(src)
	if err != nil {
		src.Close()
	}
	return err
}

func (r Ref) attach(src Source) error {
	x, ok := r.enter()
	defer r.leave()
	switch {
	case !ok || x.state.finished():
		return ErrFinished
	case x.async.source != nil:
		return ErrFull
	}
	x.attach(src)
	return nil
}

// attach has the loop send what src yields.
func (x *exchange) attach(src Source) {
	x.async.source = src
	x.conn.notify(x, noticeRoom)
}

// pump moves pieces of the stream to the output until that is full. It runs on
// the loop.
func (r Ref) pump() {
	for range turnPieces {
		src := r.nextSource()
		if src == nil {
			return
		}
		piece, err := src.Next()
		if !r.sendPiece(piece, err) {
			src.Close()
			r.streamEnded()
			return
		}
	}
	x, ok := r.enter()
	defer r.leave()
	if ok && x.async.source != nil {
		r.conn.notifyLater(x, noticeRoom)
	}
}

// nextSource returns the stream if there is one and room for more of it.
func (r Ref) nextSource() Source {
	x, ok := r.enter()
	defer r.leave()
	if !ok || x.async.source == nil {
		return nil
	}
	if x.failed == nil && x.out.size >= outputLimit {
		x.async.stalled = true
		return nil
	}
	if x.failed == nil && r.conn.outHeld > 0 && r.conn.outputRoom(flushSize) < flushSize {
		x.async.stalled = true
		x.awaitMemory()
		return nil
	}
	return x.async.source
}

// stopSource has the loop, where the stream is taken from, find that it is not
// wanted any more, and close it.
func (x *exchange) stopSource() {
	if x.async.source != nil {
		x.conn.notify(x, noticeRoom)
	}
}

// sendPiece sends a piece, and reports whether the stream goes on.
func (r Ref) sendPiece(piece []byte, err error) bool {
	x, ok := r.enter()
	defer r.leave()
	if !ok {
		return false
	}
	if err == nil {
		_, err = x.write(protocol.TypeStdout, piece)
	}
	if err == nil {
		r.conn.enqueue(x)
		return true
	}
	x.async.source = nil
	if !errors.Is(err, io.EOF) && x.failed == nil {
		r.conn.warn("response cut short", "error", err, "request", x.id)
		x.appStatus = max(x.appStatus, failedStatus)
	}
	return false
}

// streamEnded ends the request if Finish waits for the end of the stream. If
// that came of a cancellation, OnAbort is told first, as long as there is a
// request to be told of.
func (r Ref) streamEnded() {
	r.callAbort()
	x, ok := r.enter()
	defer r.leave()
	if ok && x.state.finished() {
		x.finish()
	}
}
