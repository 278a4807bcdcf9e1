package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"math"
	"net"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// The defaults of [Client].
const (
	DefaultDialTimeout = 10 * time.Second
	DefaultIdleTimeout = 30 * time.Second
	DefaultMaxIdle     = 2
	DefaultSpoolLimit  = 1 << 30
)

// A Client sends requests to one FastCGI application. The zero value with an
// Addr works: it makes a connection for each request.
//
// Its methods may be called concurrently. Its fields must not change after the
// first call. It must not be copied.
//
// In every number here, zero means the default, and below zero means no limit.
type Client struct {
	// Addr is where the application listens, such as "unix:/run/app.sock" or
	// "127.0.0.1:9000". The package's page has all forms.
	Addr string

	// Dial makes a connection in place of Addr, if it is not nil. Its context has
	// the deadline of DialTimeout, if there is one. It is called again where it
	// returns an error as package net does while nobody listens. If Addr is one with
	// tls:, TLS goes over that connection.
	Dial func(ctx context.Context) (net.Conn, error)

	// DialTimeout is how long making a connection may take, with its TLS handshake.
	// Until then it is tried again while nobody listens, as during a restart, or the
	// application's queue of connections is full. The default is 10 s.
	DialTimeout time.Duration

	// KeepConn keeps connections open after a request, for the next one (§5.1,
	// FCGI_KEEP_CONN). A connection is used again only if the application has
	// ended the request, took all of it, and sent nothing since.
	//
	// A connection kept is a worker kept with php-fpm and other applications that
	// serve one connection at a time: see MaxConns. If PHP scripts go on after
	// fastcgi_finish_request, leave KeepConn unset, or set MaxConns and MaxIdle:
	// the next request on that connection waits until the script has ended.
	KeepConn bool

	// MaxConns is how many connections may exist at once, those kept idle
	// included. Requests beyond wait. Keep it below the number of the
	// application's workers where each serves one connection. The default is no
	// limit.
	//
	// With it, kept connections take turns: new ones are made until there are
	// MaxIdle or MaxConns of them, then the one that is idle for the longest is
	// next. Without it, it is the one that was used last.
	MaxConns int

	// MaxIdle is how many connections are kept idle. The default is 2. To keep
	// none, leave KeepConn unset.
	MaxIdle int

	// IdleTimeout is how long a connection is kept idle. It should be shorter
	// than what the application allows. The default is 30 s.
	IdleTimeout time.Duration

	// MaxRequestsPerConn is how many requests a connection is used for. The
	// default is no limit.
	MaxRequestsPerConn int

	// Multiplex says whether requests share connections, of which there is then
	// one until MaxActivePerConn is reached. Shared connections are kept, whatever
	// KeepConn says. The default is MultiplexOff.
	//
	// An application that takes a request back, because it is one too many on its
	// connection (CANT_MPX_CONN, OVERLOADED), is sent it again on another, and
	// takes no more on the first from then on; after CANT_MPX_CONN, one at a time.
	Multiplex Multiplex

	// MaxActivePerConn is how many requests share a connection. One that was given
	// up counts until the application has ended it. What the application says in
	// answer to MultiplexAsk (FCGI_MAX_REQS) is not exceeded, either. The default
	// is 32, and no limit is 65,535: there are no more ids.
	MaxActivePerConn int

	// SpoolLimit is how much of responses that share connections may wait on disk
	// to be read, in bytes, for all of them together. What does not fit into
	// memory (64 KiB each) goes there so that nobody waits for another's reader;
	// beyond the limit, reading the response fails. The default is 1 GiB.
	SpoolLimit int64
	// SpoolDir is the directory for that. Empty means os.TempDir().
	SpoolDir string

	// SplitPairs lets a parameter that is larger than a record continue in the
	// next one, as the specification allows. PHP and others read each record by
	// itself and cannot take that, so without SplitPairs it is a
	// ParamTooLargeError.
	SplitPairs bool

	// CertFile and KeyFile name the PEM files of the certificate that a tls: address
	// is shown if it asks for one, and of its key; without KeyFile the key is in
	// CertFile. CAFile names that of the authorities of which one must have signed the
	// application's certificate; empty means those that the system trusts. The files
	// are looked at when a connection is made, once a second at most, and used anew
	// when they have changed. If they cannot be used, the old ones stay.
	CertFile, KeyFile, CAFile string
	// ServerName is the name that the application's certificate is for. Empty means
	// the host in Addr.
	ServerName string
	// TLSConfig is for all else about TLS. It is copied; the fields above count more.
	// TLS is version 1.2 at least, whatever it says. Nil means the defaults of package
	// tls, and that sessions are resumed.
	TLSConfig *tls.Config
	// ErrorLog is told when files of certificates have changed; nil means
	// slog.Default().
	ErrorLog *slog.Logger

	certs       clientCerts
	pool        connPool
	negotiation negotiation
	spooling    spooling
}

// Do sends a request and returns its response once its first byte arrived, or,
// if it is empty, its end. The response must be closed. The context holds for
// the whole of it: once ctx is done, reading fails with its cause.
//
// The request goes on being sent while the response is read, so an application
// may answer before it has read everything, and one that echoes never blocks.
//
// A request is tried again on another connection, if Stdin and Data are nil or
// can Seek and no byte of a response arrived, in these cases:
//
//   - A kept connection turns out to be closed, and the application either cannot
//     have seen the request or may see it twice: its REQUEST_METHOD is GET, HEAD,
//     OPTIONS or TRACE.
//   - A connection is reset, as those are that wait to be accepted when an
//     application ends, and the same holds. This goes on for DialTimeout.
//   - A new connection is lost otherwise, within a second of when the request was
//     begun, and the same holds: once.
//   - The application takes it back, see Multiplex.
//
// The error is a *RefusedError if the application refused the request, a
// *protocol.Error if it broke the protocol, a *ParamTooLargeError, or wraps
// ErrClosed, the context's cause, io.ErrUnexpectedEOF (the connection was
// closed before END_REQUEST), what Stdin returned, or an error of package net.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	t, err := newTry(c, req)
	if err != nil {
		return nil, err
	}
	return t.run(ctx)
}

// attempt is Do for who has another application as well: it does not wait for one that is away. The request may be sent to
// another if again is true.
func (c *Client) attempt(ctx context.Context, req *Request) (resp *Response, again bool, err error) {
	t, err := newTry(c, req)
	if err != nil {
		return nil, false, err
	}
	t.dials.once = true
	resp, err = t.run(ctx)
	return resp, err != nil && (ctx.Err() == nil || sentElsewhere(ctx)) && t.elsewhere(ctx), err
}

// CloseIdle closes the connections that are kept idle.
func (c *Client) CloseIdle() { c.closeIdle(math.MaxUint64) }

// closeIdle closes those idle connections that have a number up to newest.
func (c *Client) closeIdle(newest uint64) {
	for _, conn := range c.pool.takeIdle(newest) {
		conn.close(errResponseClosed)
		conn.loops.Wait()
	}
}

// Close ends all requests in progress with ErrClosed, closes all connections and
// waits for the goroutines that serve them. Later calls of Do fail with
// ErrClosed.
func (c *Client) Close() error {
	for _, conn := range c.pool.close() {
		conn.close(ErrClosed)
		conn.loops.Wait()
	}
	return nil
}

// acquire returns a connection for one request, with a number above after: one that is there or a new one. It waits while
// there are MaxConns.
func (c *Client) acquire(ctx context.Context, after uint64, dials *dialing) (*conn, error) {
	shared, err := c.shares(ctx)
	if err != nil {
		return nil, err
	}
	g, nc, err := c.connect(ctx, after, shared, dials)
	if err != nil || g.conn != nil {
		return g.conn, err
	}
	conn := newConn(c, nc, g.number, shared, c.room(shared))
	if !conn.open() {
		return nil, ErrClosed
	}
	return conn, nil
}

// connect takes a place in the pool, with a connection that it makes if there is none that will do. While the application is
// away, it waits without a place, so that others find out at once.
func (c *Client) connect(ctx context.Context, after uint64, shared bool, dials *dialing) (grant, net.Conn, error) {
	w := want{
		after: after, shared: shared, room: c.room(shared),
		maxConns: max(c.MaxConns, 0), maxIdle: c.maxIdle(),
	}
	for {
		g, err := c.pool.acquire(ctx, w)
		if err != nil {
			return grant{}, nil, fmt.Errorf("fastcgi: waiting for a connection: %w", err)
		}
		if g.victim != nil {
			g.victim.close(errResponseClosed)
		}
		if g.conn != nil {
			return g, nil, nil
		}
		nc, err := dials.dial(ctx)
		if err == nil {
			return g, nc, nil
		}
		c.pool.unmade(g.number)
		if err := dials.again(ctx, err); err != nil {
			return grant{}, nil, err
		}
	}
}

func (c *Client) maxIdle() int { return limit.Of(c.MaxIdle, DefaultMaxIdle, math.MaxInt) }
