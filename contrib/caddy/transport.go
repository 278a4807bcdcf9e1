package caddyfcgi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/simple-fastcgi/fastcgi/client"
)

// Caddy knows modules and directives by what their packages register when they are
// initialized; there is no other way in.
func init() {
	caddy.RegisterModule(new(Transport))
	registerDirective()
}

// A Transport has Caddy's reverse_proxy ask FastCGI applications. The zero value
// works. Its fields are the options, by their names in JSON; those that Caddy's
// transport fastcgi has as well mean the same.
type Transport struct {
	// Root is the directory of the scripts: DOCUMENT_ROOT. It may have
	// placeholders. The default is the site's root, "{http.vars.root}".
	Root string `json:"root,omitempty"`

	// SplitPath are the endings of scripts, such as ".php", in ASCII. Behind the
	// first of them that a path has, whatever its case, begins PATH_INFO. Without
	// any, all of the path is PATH_INFO, and SCRIPT_NAME is empty.
	SplitPath []string `json:"split_path,omitempty"`

	// ResolveRootSymlink follows the symbolic links in Root, anew for each request.
	// PHP caches scripts by their paths; with this, a deployment that switches a
	// link has new ones.
	ResolveRootSymlink bool `json:"resolve_root_symlink,omitempty"`

	// EnvVars are further variables, or others in place of those there are. Their
	// values may have placeholders.
	EnvVars map[string]string `json:"env,omitempty"`

	// DialTimeout is how long it may take to connect to the application. Until
	// then it is tried again while nobody listens, as during a restart, unless
	// reverse_proxy itself tries again (lb_try_duration, lb_retries). The default
	// is 3 s.
	DialTimeout caddy.Duration `json:"dial_timeout,omitempty"`

	// ReadTimeout is how long the application may be silent while it is waited for:
	// for its header, and for each part of its body. The default is no limit.
	ReadTimeout caddy.Duration `json:"read_timeout,omitempty"`

	// WriteTimeout is how long the application may take nothing of what is sent to
	// it. The default is no limit.
	WriteTimeout caddy.Duration `json:"write_timeout,omitempty"`

	// ResponseHeaderTimeout is how long the application may take for its header,
	// not counting the time that the request's body takes. The default is that of
	// ReadTimeout.
	ResponseHeaderTimeout caddy.Duration `json:"response_header_timeout,omitempty"`

	// CaptureStderr logs what the application writes on STDERR: as an error if the
	// response has a status of 400 or above, else as a warning. The default is true.
	CaptureStderr *bool `json:"capture_stderr,omitempty"`

	// KeepAlive says which connections are kept for further requests.
	KeepAlive *KeepAlive `json:"keep_alive,omitempty"`

	// MaxConns is how many connections there may be at once to each upstream, those
	// kept idle included; requests beyond wait. For php-fpm it should be no more
	// than pm.max_children. The default is no limit.
	MaxConns int `json:"max_conns,omitempty"`

	// Multiplex says whether requests share connections: "off", "on", or "ask",
	// for whatever the application says of itself. The default is "off".
	Multiplex string `json:"multiplex,omitempty"`

	// MaxActivePerConn is how many requests share a connection at once. The default
	// is 32.
	MaxActivePerConn int `json:"max_active_per_conn,omitempty"`

	// CollectBody reads the body of a request to its end before the application is
	// asked, so that a client that sends slowly holds no worker.
	CollectBody bool `json:"collect_body,omitempty"`

	// StreamBody passes a body of unknown length on as it arrives, without
	// CONTENT_LENGTH. Otherwise it is collected, for its length. PHP would see no
	// body at all.
	StreamBody bool `json:"stream_body,omitempty"`

	// SpoolMemory is how much of a collected body is kept in memory, in bytes; the
	// rest goes to a file in SpoolDir. The default is 64 KiB.
	SpoolMemory int64 `json:"spool_memory,omitempty"`

	// SpoolLimit is how large a collected body may be, in bytes. It holds as well
	// for all that waits on disk of responses that share connections. The default
	// is 1 GiB.
	SpoolLimit int64 `json:"spool_limit,omitempty"`

	// SpoolDir is where such files are. The default is the system's directory for
	// temporary files.
	SpoolDir string `json:"spool_dir,omitempty"`

	// NoUpgrade keeps requests for another protocol, such as WebSocket, from the
	// application: it is sent their header without Upgrade. Applications that read
	// STDIN to its end whatever its length, such as fcgiwrap, need this.
	NoUpgrade bool `json:"no_upgrade,omitempty"`

	// TLS has requests go over TLS to upstreams on TCP.
	TLS *TLS `json:"tls,omitempty"`

	software  string
	logger    *zap.Logger
	failFast  bool // Caddy tries again, maybe elsewhere
	upstreams *upstreams
}

// KeepAlive says which connections are kept. Those that requests share are kept in
// any case.
type KeepAlive struct {
	// Enabled keeps connections. The default is true if MaxConns is set, else
	// false: a kept connection is a worker kept with php-fpm, and with more of them
	// than workers, a request waits until one is given up.
	Enabled *bool `json:"enabled,omitempty"`

	// IdleTimeout is how long a connection is kept idle. The default is 30 s.
	IdleTimeout caddy.Duration `json:"idle_timeout,omitempty"`

	// MaxIdleConns is how many are kept idle to each upstream. The default is 2.
	MaxIdleConns int `json:"max_idle_conns,omitempty"`

	// MaxRequests is for how many requests a connection is used. The default is no
	// limit.
	MaxRequests int `json:"max_requests,omitempty"`
}

// TLS says how to speak TLS to an application. Files are read anew when they have
// changed.
type TLS struct {
	// CAFile has the certificates of the authorities of which one must have signed
	// the application's. The default is those that the system trusts.
	CAFile string `json:"ca_file,omitempty"`

	// CertFile and KeyFile are the certificate, with its key, to show to an
	// application that asks for one.
	CertFile string `json:"certificate_file,omitempty"`
	KeyFile  string `json:"key_file,omitempty"`

	// ServerName is the name that the application's certificate is for. The default
	// is the host in the upstream's address.
	ServerName string `json:"server_name,omitempty"`
}

const defaultDialTimeout = 3 * time.Second

var errNotASCII = errors.New("it has characters other than those of ASCII")

// CaddyModule tells Caddy the module's name.
func (*Transport) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{
		ID:  "http.reverse_proxy.transport.fcgi",
		New: func() caddy.Module { return new(Transport) },
	}
}

// Provision readies t for requests.
func (t *Transport) Provision(ctx caddy.Context) error {
	t.logger = ctx.Logger()
	version, _ := caddy.Version()
	t.software = "Caddy/" + version + " fcgi" // package fastcgi knows by it that WebSockets can pass
	t.Root = cmp.Or(t.Root, "{http.vars.root}")
	t.DialTimeout = cmp.Or(t.DialTimeout, caddy.Duration(defaultDialTimeout))
	t.failFast = retries(ctx.Modules())
	for i, ending := range t.SplitPath {
		if strings.ContainsFunc(ending, func(r rune) bool { return r >= 0x80 }) {
			return fmt.Errorf("split_path: %q: %w", ending, errNotASCII)
		}
		t.SplitPath[i] = lowerASCII(ending)
	}
	t.upstreams = &upstreams{make: t.newUpstream, forget: t.idleTimeout()}
	return nil
}

// Validate reports settings that contradict each other or cannot be.
func (t *Transport) Validate() error {
	switch {
	case !slices.Contains([]string{"", "off", "on", "ask"}, t.Multiplex):
		return fmt.Errorf("multiplex is off, on or ask, not %q", t.Multiplex)
	case t.CollectBody && t.StreamBody:
		return errors.New("collect_body and stream_body exclude each other")
	}
	return nil
}

// Cleanup closes the connections to upstreams: those in use when their requests are
// over. Caddy calls it once the configuration is unloaded.
func (t *Transport) Cleanup() error {
	if t.upstreams != nil {
		t.upstreams.close()
	}
	return nil
}

// retries reports whether the reverse_proxy among the modules that contain a
// transport tries again after a failure.
func retries(modules []caddy.Module) bool {
	for _, m := range modules {
		if h, ok := m.(*reverseproxy.Handler); ok && h.LoadBalancing != nil {
			return h.LoadBalancing.TryDuration != 0 || h.LoadBalancing.Retries != 0
		}
	}
	return false
}

// DefaultBufferSizes has Caddy hold as much of a request as its own transport does
// unless request_buffers says otherwise. What is held can be sent to a second
// upstream if the first fails.
func (t *Transport) DefaultBufferSizes() (request, response int64) {
	if t.StreamBody {
		return 0, 0
	}
	return 4096, 0
}

// RequiresContentLength reports whether a body of unknown length is collected,
// rather than passed on as it arrives.
func (t *Transport) RequiresContentLength() bool { return !t.StreamBody }

// RoundTrip asks the upstream that Caddy has chosen for the request.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = asUpgrade(r)
	params, err := t.params(r)
	if err != nil {
		return nil, err
	}
	to := target{"tcp", r.URL.Host}
	if info, ok := reverseproxy.GetDialInfo(r.Context()); ok {
		to = target{info.Network, info.Address}
	}
	x := &exchange{transport: t, request: r, params: params}
	x.logRequest(to)

	u := t.upstreams.acquire(to)
	defer t.upstreams.release(u)
	resp, err := x.run(u.transport)
	if err != nil {
		return nil, x.failed(err)
	}
	return resp, nil
}

// asUpgrade completes what Caddy does with a WebSocket over HTTP/2 or 3: it is to be a
// request of HTTP/1.1, which has no body.
func asUpgrade(r *http.Request) *http.Request {
	if r.ProtoMajor == 1 || r.Header.Get("Upgrade") == "" {
		return r
	}
	out := *r
	out.Proto, out.ProtoMajor, out.ProtoMinor = "HTTP/1.1", 1, 1
	out.Body, out.ContentLength = http.NoBody, 0
	return &out
}

// An exchange is a request on its way, and what belongs to it alone.
type exchange struct {
	transport *Transport
	request   *http.Request
	params    []client.Pair
	body      *watchedBody // nil if there is none
	stderr    stderrLog
}

// exchangeKey is for the value of a request's context that is its exchange.
type exchangeKey struct{}

func exchangeOf(r *http.Request) *exchange {
	return r.Context().Value(exchangeKey{}).(*exchange)
}

// run asks the application, and returns its response with the header there.
func (x *exchange) run(transport *client.Transport) (*http.Response, error) {
	ctx := context.WithValue(x.request.Context(), exchangeKey{}, x)
	timeout := time.Duration(x.transport.ReadTimeout)
	if timeout <= 0 {
		return x.ask(ctx, transport)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	resp, err := x.ask(ctx, transport)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	resp.Body = timedBodyOf(resp, timeout, cancel)
	return resp, nil
}

func (x *exchange) ask(ctx context.Context, transport *client.Transport) (*http.Response, error) {
	out := x.request.WithContext(ctx)
	if out.Body != nil && out.Body != http.NoBody {
		x.body = &watchedBody{ReadCloser: out.Body}
		out.Body = x.body
	}
	resp, err := transport.RoundTrip(out)
	if err != nil {
		x.stderr.header(x, http.StatusBadGateway)
		return nil, err
	}
	x.stderr.header(x, resp.StatusCode)
	return resp, nil
}

// failed returns what Caddy is to make of err: the status for its client, and, for
// one of which no application has seen anything, that any other may be asked.
func (x *exchange) failed(err error) error {
	var (
		dial    *dialError
		refused *client.RefusedError
		unread  = x.body == nil || !x.body.read.Load()
		status  = client.StatusOf(err)
	)
	switch {
	case x.request.Context().Err() != nil:
		return err
	case errors.As(err, &dial) && unread:
		return reverseproxy.NewDialError(err)
	case errors.As(err, &refused) && unread && status == http.StatusServiceUnavailable:
		return caddyhttp.Error(status, reverseproxy.NewDialError(err))
	}
	return caddyhttp.Error(status, err)
}

// logRequest logs what is about to be asked, for debugging.
func (x *exchange) logRequest(to target) {
	if c := x.transport.logger.Check(zapcore.DebugLevel, "roundtrip"); c != nil {
		c.Write(
			zap.String("dial", to.address),
			zap.Object("env", loggedParams{x.params, logsCredentials(x.request)}),
			loggedRequest(x.request))
	}
}

var (
	_ caddy.Provisioner                           = (*Transport)(nil)
	_ caddy.Validator                             = (*Transport)(nil)
	_ caddy.CleanerUpper                          = (*Transport)(nil)
	_ http.RoundTripper                           = (*Transport)(nil)
	_ reverseproxy.BufferedTransport              = (*Transport)(nil)
	_ reverseproxy.ContentLengthRequiredTransport = (*Transport)(nil)
)
