package fastcgi

import "errors"

// The errors that callers branch on. Those that say why a request was
// cancelled are also the cause of its context (context.Cause).
var (
	// ErrServerClosed is returned by Serve and Run's listeners after Shutdown
	// or Close, and cancels the requests that Close cuts off.
	ErrServerClosed = errors.New("fastcgi: server closed")
	// ErrAborted says that the web server sent ABORT_REQUEST (§5.4).
	ErrAborted = errors.New("fastcgi: request aborted by the web server")
	// ErrDisconnected says that the web server closed the connection. It may
	// have closed its sending half only, so what is written is still sent.
	ErrDisconnected = errors.New("fastcgi: web server closed the connection")
	// ErrFinished is returned by the methods of a request that is over.
	ErrFinished = errors.New("fastcgi: request is finished")
	// ErrFull is returned by Exchange.Write while the web server takes less
	// than is written; OnDrain tells when there is room.
	ErrFull = errors.New("fastcgi: output buffer is full")
	// ErrBodyTooLarge is given by Exchange.ReadAll if the body is longer
	// than it allows.
	ErrBodyTooLarge = errors.New("fastcgi: body is too large")
	// ErrSpoolFull ends a request whose unread input exceeds SpoolLimit while
	// other requests share its connection.
	ErrSpoolFull = errors.New("fastcgi: unread input exceeds the spool limit")
)
