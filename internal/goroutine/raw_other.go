//go:build !unix

package goroutine

import (
	"net"
	"syscall"
)

// Elsewhere connections are read and written through package net alone.
func rawConn(net.Conn) syscall.RawConn { return nil }

type rawRead struct{}

func (*rawRead) init() {}

func (s *socket) read() ([]byte, error) { return s.readBuffered() }

type rawWrite struct{}

func (*rawWrite) init() {}

// tryWrite writes nothing: there is no way to write without waiting.
func (*socket) tryWrite([]byte) (int, error) { return 0, nil }

func (s *socket) write(p []byte) (int, error) { return s.writePiece(p) }
