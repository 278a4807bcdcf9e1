package fastcgi

import "github.com/simple-fastcgi/fastcgi/internal/engine"

// The errors that callers branch on. Those that say why a request was
// cancelled are also the cause of its context (context.Cause).
var (
	// ErrServerClosed is returned by Serve and ListenAndServe after Shutdown or
	// Close, and cancels the requests that Close cuts off.
	ErrServerClosed = engine.ErrServerClosed
	// ErrAborted says that the web server sent ABORT_REQUEST (§5.4).
	ErrAborted = engine.ErrAborted
	// ErrDisconnected says that the web server closed the connection. It may
	// have closed its sending half only, so what is written is still sent.
	ErrDisconnected = engine.ErrDisconnected
	// ErrFinished is returned by the methods of a request that is over, and of a
	// Request or an Exchange that never was one.
	ErrFinished = engine.ErrFinished
	// ErrResponded is returned by SendResponse, SendRedirect and Decision.Send if
	// something was written to FCGI_STDOUT before: a request has one response.
	ErrResponded = engine.ErrResponded
	// ErrFull is returned by Exchange.Write while the web server takes less
	// than is written; OnDrain tells when there is room.
	ErrFull = engine.ErrFull
	// ErrBodyTooLarge is given by Exchange.ReadAll if the body is longer
	// than it allows.
	ErrBodyTooLarge = engine.ErrBodyTooLarge
	// ErrSpoolFull ends a request whose unread input exceeds SpoolLimit while
	// other requests share its connection.
	ErrSpoolFull = engine.ErrSpoolFull
	// ErrBodyTimeout is what reading returns when no byte of the body came within
	// BodyTimeout. It is an os.ErrDeadlineExceeded.
	ErrBodyTimeout = engine.ErrBodyTimeout
)
