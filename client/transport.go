package client

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/logtext"
	"github.com/simple-fastcgi/fastcgi/internal/spool"
)

// The defaults of [Transport]. That of SpoolLimit is DefaultSpoolLimit, as for
// Client.
const (
	DefaultResponseHeaderTimeout = 60 * time.Second
	DefaultSpoolMemory           = 64 << 10
	DefaultServerSoftware        = "fastcgi-client"
)

// A Transport is an http.RoundTripper that asks a FastCGI application: with it, an
// http.Client or an httputil.ReverseProxy speaks to one as to any web server. It
// needs a Client; the zero value of all other fields works.
//
// The URL of a request names no address to connect to, for that is the Client's to
// know. Its host is what the application is told as HTTP_HOST and SERVER_NAME,
// unless Request.Host says otherwise, and its scheme, or Request.TLS, whether it is
// HTTPS. Its path and query are those of the application. A request with a
// RemoteAddr, as ReverseProxy makes them from those that come in, is from there;
// others are from 127.0.0.1, which is this program.
//
// It keeps nothing from one request to the next. Its fields must not change after
// the first request.
//
// In every number here, zero means the default, and below zero means no limit.
type Transport struct {
	// Client talks to the application: a *Client, or a *Balancer for several.
	Client Doer

	// Prefix is the part of the path that stands for the application, such as
	// "/app": its SCRIPT_NAME. What follows is PATH_INFO. Paths that do not start
	// with it, as whole segments, are an error. Empty means that the application
	// has all paths, with an empty SCRIPT_NAME.
	Prefix string

	// Root is the directory that the application is told as DOCUMENT_ROOT. With
	// it, there is PATH_TRANSLATED where there is PATH_INFO.
	Root string

	// ScriptFilename is sent as SCRIPT_FILENAME. It has no effect with Extension.
	ScriptFilename string

	// Extension is how the names of scripts end, such as ".php". If it is set,
	// paths name files under Root rather than Prefix: up to the first segment that
	// ends so is SCRIPT_NAME, the rest PATH_INFO. A path that ends in a slash
	// names the script "index" there. A script must exist as a regular file here,
	// where this program runs (symbolic links are followed): without that,
	// "/upload/photo.jpg/x.php" would execute an image.
	Extension string

	// FrontController is the script that answers all paths which name none, such
	// as "/index.php". It has no effect without Extension. Empty means an error.
	FrontController string

	// Params returns further parameters for a request, for instance REMOTE_USER.
	// They take the place of those with the same names. It may be nil.
	Params func(*http.Request) []Pair

	// ServerSoftware is sent as SERVER_SOFTWARE. Empty means
	// DefaultServerSoftware.
	ServerSoftware string

	// SpoolMemory is how much of a body is kept in memory, in bytes, before it goes
	// to a temporary file: of one of unknown length, for CGI wants to be told the
	// length before the body, or with CollectBody of any. The default is 64 KiB;
	// without a limit no file is made.
	SpoolMemory int64
	// SpoolLimit is how large such a body may be, in bytes. The default is 1 GiB.
	SpoolLimit int64
	// SpoolDir is the directory for temporary files. Empty means os.TempDir().
	SpoolDir string

	// StreamBody passes a body of unknown length on as it arrives, without
	// CONTENT_LENGTH. That suits applications that read to the end of STDIN, as
	// those made with this module do; PHP would see no body.
	StreamBody bool

	// CollectBody reads every body to its end before the application is asked, so
	// that a client that sends slowly holds no worker of it, and takes the place of
	// StreamBody. Set it for proxies before PHP.
	CollectBody bool

	// ResponseHeaderTimeout is how long the application may take for its header,
	// not counting the time that the request's body takes. Afterwards there is no
	// limit but the request's context. The default is 60 s.
	ResponseHeaderTimeout time.Duration

	// NoUpgrade keeps requests for another protocol, such as WebSocket, from the
	// application: their field Upgrade is left out. Otherwise they are passed on,
	// except for HTTP/2 ("h2c") and on HTTP/2, with STDIN left open until the
	// application has answered. Set it for applications that read STDIN to its end
	// whatever CONTENT_LENGTH says, such as fcgiwrap.
	NoUpgrade bool

	// Stderr receives what the application writes on STDERR, line by line, without
	// line ends; lines longer than 8 KiB in parts. It is as the application wrote
	// it, control characters included. Nil means that it is logged, escaped. Until
	// the application has ended the request, it may be called after the response's
	// body was closed.
	Stderr func(r *http.Request, line []byte)

	// ErrorLog is where that is logged, and responses with a body longer than their
	// Content-Length. Nil means slog.Default().
	ErrorLog *slog.Logger
}

// RoundTrip asks the application, and returns its response once the header has
// arrived, while the request's body may still be on its way and the response's is.
//
// The body of the response returns what has arrived and waits only if nothing has.
// It returns io.EOF at the end of a response that is complete, io.ErrUnexpectedEOF
// for one that ends before its Content-Length, cuts one that goes on behind that,
// and returns the errors of Client.Do otherwise. It must be closed; that ends a
// request that the application has not ended. So does the end of the request's
// context, whose cause is then part of the error.
//
// A response with status 101 has a body that is also an io.Writer: what is written
// to it goes to the application's STDIN. It has a CloseWrite as well.
//
// "Location: /path" alone is a redirect with status 302, to follow or to pass on.
//
// The request's body is closed in every case, maybe after the response's. If a kept
// connection turns out to be dead, the request may be tried on another, as with
// Client.Do, if its GetBody is set or its body was collected.
//
// The error wraps ErrHeaderTimeout, and what Client.Do and ReadHead return; StatusOf
// has a status for it.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	x := &roundTrip{
		transport: t,
		request:   r,
		timer:     limit.NewTimer(limit.Of(t.ResponseHeaderTimeout, DefaultResponseHeaderTimeout, 0)),
	}
	x.body = newRequestBody(r, x.timer)
	resp, err := x.run()
	if err != nil {
		x.release()
		return nil, asTimeout(err)
	}
	return resp, nil
}

// CloseIdleConnections closes the connections that the Client keeps idle. It is
// what http.Client.CloseIdleConnections calls.
func (t *Transport) CloseIdleConnections() {
	if c, ok := t.Client.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

func (t *Transport) log() *slog.Logger {
	if t.ErrorLog != nil {
		return t.ErrorLog
	}
	return slog.Default()
}

// limits are those of bodies that are collected.
func (t *Transport) limits() spool.Limits {
	return spool.Limits{
		Memory: limit.Of(t.SpoolMemory, DefaultSpoolMemory, spool.Unlimited),
		Size:   limit.Of(t.SpoolLimit, DefaultSpoolLimit, spool.Unlimited),
		Dir:    t.SpoolDir,
	}
}

// A roundTrip is one HTTP request on its way to the application and back.
type roundTrip struct {
	transport *Transport
	request   *http.Request
	timer     *limit.Timer
	stderr    logtext.Lines

	// What release gives back, nil before there is one.
	body   *requestBody   // the request's, if it has one
	spool  *spool.Body    // what was collected of it
	stdin  *io.PipeReader // what a request for another protocol has for a body
	writer *io.PipeWriter // its other end
	detach func() bool    // from the request's context
	cancel context.CancelCauseFunc

	response *Response // nil before the application has answered
	ended    sync.Once // by finish or whole
}

// run does the exchange up to the response's header. After an error, release is
// still to be called.
func (x *roundTrip) run() (*http.Response, error) {
	parent := x.request.Context()
	if parent.Err() != nil {
		return nil, fmt.Errorf("fastcgi: request given up: %w", context.Cause(parent))
	}
	out, err := x.outgoing()
	if err != nil {
		return nil, fmt.Errorf("fastcgi: %w", err)
	}
	stdin, err := x.openStdin(parent, out)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: reading the request's body: %w", err)
	}
	params := out.Variables()
	if x.transport.Params != nil {
		params = cgi.Replaced(params, x.transport.Params(x.request))
	}
	// The request's context ends early in http.Client: once the caller has all of
	// the response, though the application may not have said so yet.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(parent))
	x.cancel = cancel
	x.detach = context.AfterFunc(parent, func() { x.giveUp(context.Cause(parent)) })
	x.stderr.Emit = x.emitStderr

	resp, err := x.ask(ctx, &Request{Params: params, Stdin: stdin, Stderr: &x.stderr})
	if err != nil && errors.Is(context.Cause(ctx), ErrHeaderTimeout) {
		err = ErrHeaderTimeout
	}
	return resp, err
}

// ask sends the request and reads the response's header, within the time for that.
func (x *roundTrip) ask(ctx context.Context, req *Request) (*http.Response, error) {
	x.timer.Start(func() { x.giveUp(ErrHeaderTimeout) })
	defer x.timer.Stop()
	var err error
	if x.response, err = x.transport.Client.Do(ctx, req); err != nil {
		return nil, err
	}
	head, body, err := ReadHead(x.response)
	if err != nil {
		return nil, err
	}
	return x.respond(head, body)
}

// giveUp ends the request because of err, and what reads its body: for one that can
// be repeated, the Client waits for that.
func (x *roundTrip) giveUp(err error) {
	x.cancel(err)
	if x.body != nil {
		x.body.stop(fmt.Errorf("request given up: %w", err))
	}
}

// outgoing says what the variables of the request are made of, all but the length
// of its body.
func (x *roundTrip) outgoing() (*cgi.Outgoing, error) {
	t, r := x.transport, x.request
	switch {
	case t.Client == nil:
		return nil, errors.New("the Transport has no Client")
	case r.URL == nil:
		return nil, errors.New("the request has no URL")
	}
	if r.Method != "" && !cgi.ValidName(r.Method) {
		return nil, fmt.Errorf("%q is no method", r.Method)
	}
	for name, values := range r.Header {
		for _, value := range values {
			if !cgi.ValidValue(value) {
				return nil, fmt.Errorf("the value of the header field %q has a control character", name)
			}
		}
	}
	out := &cgi.Outgoing{
		Request: r,
		Site: cgi.Site{
			Prefix:          t.Prefix,
			Root:            t.Root,
			ScriptFilename:  t.ScriptFilename,
			Extension:       t.Extension,
			FrontController: t.FrontController,
		},
		Software: cmp.Or(t.ServerSoftware, DefaultServerSoftware),
		Host:     cmp.Or(r.Host, r.URL.Host),
		URI:      r.URL.RequestURI(), // a proxy may have rewritten the URL
		Remote:   cmp.Or(r.RemoteAddr, "127.0.0.1"),
		HTTPS:    r.TLS != nil || r.URL.Scheme == "https",
		Upgrade:  !t.NoUpgrade && x.body == nil && cgi.AsksUpgrade(r),
	}
	var err error
	out.Target, err = out.Site.Locate(r)
	return out, err
}

// openStdin returns what the application gets as STDIN, nil if that is nothing, and
// sets its length.
func (x *roundTrip) openStdin(ctx context.Context, out *cgi.Outgoing) (io.Reader, error) {
	t, b := x.transport, x.body
	switch {
	case out.Upgrade:
		x.stdin, x.writer = io.Pipe()
		return x.stdin, nil
	case b == nil:
		return nil, nil
	case t.CollectBody, b.length < 0 && !t.StreamBody:
		collected, err := b.collect(ctx, t.limits())
		if err != nil {
			return nil, err
		}
		x.spool, out.Length = collected, collected.Len()
		return collected.Reader(), nil
	case b.again != nil && 0 < b.length && b.length <= maxAtOnce:
		out.Length = b.length
		return b.atHand(ctx)
	}
	out.Length = b.length
	return b.stdin(), nil
}

// finish ends the exchange, and the request if the application has not.
func (x *roundTrip) finish() { x.ended.Do(x.release) }

// release ends the exchange for finish and whole, and after an error.
func (x *roundTrip) release() {
	if x.response != nil {
		x.response.Close()
	}
	x.stderr.Flush()
	if x.cancel != nil {
		x.detach()
		x.cancel(nil)
	}
	if x.stdin != nil {
		x.stdin.CloseWithError(errOver)
	}
	if x.body != nil {
		x.body.stop(errOver)
	}
	if x.spool != nil {
		x.spool.Close()
	}
}

// emitStderr hands a line of STDERR to the caller's function or to the log.
func (x *roundTrip) emitStderr(line []byte) {
	t, r := x.transport, x.request
	if t.Stderr != nil {
		t.Stderr(r, bytes.Clone(line))
		return
	}
	t.log().LogAttrs(r.Context(), slog.LevelWarn, "fastcgi: transport: application's stderr",
		slog.String("uri", r.URL.RequestURI()),
		slog.String("stderr", logtext.Escape(line, logtext.MaxEscaped)))
}
