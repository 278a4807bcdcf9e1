package engine

import (
	"errors"
	"fmt"
	"os"
)

// What callers branch on. Package fastcgi exports them; those that say why a
// request was cancelled are also the cause of its context.
var (
	ErrServerClosed = errors.New("fastcgi: server closed")
	ErrAborted      = errors.New("fastcgi: request aborted by the web server")
	ErrDisconnected = errors.New("fastcgi: web server closed the connection")
	ErrFinished     = errors.New("fastcgi: request is finished")
	ErrResponded    = errors.New("fastcgi: request has a response already")
	ErrFull         = errors.New("fastcgi: output buffer is full")
	ErrBodyTooLarge = errors.New("fastcgi: body is too large")
	ErrSpoolFull    = errors.New("fastcgi: unread input exceeds the spool limit")
	ErrBodyTimeout  = fmt.Errorf("fastcgi: no byte of the body came within BodyTimeout: %w", os.ErrDeadlineExceeded)
)
