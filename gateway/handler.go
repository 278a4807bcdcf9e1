package gateway

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
	"github.com/simple-fastcgi/fastcgi/internal/logtext"
)

// The defaults of [Handler].
const (
	DefaultResponseHeaderTimeout = client.DefaultResponseHeaderTimeout
	DefaultSpoolMemory           = client.DefaultSpoolMemory
	DefaultSpoolLimit            = client.DefaultSpoolLimit
	DefaultServerSoftware        = "fastcgi-gateway"
)

// A Handler answers HTTP requests by asking a FastCGI application. It needs a
// Client; the zero value of all other fields works.
//
// Its fields must not change after the first request.
//
// In every number here, zero means the default, and below zero means no limit.
type Handler struct {
	// Client talks to the application: a *client.Client, or a *client.Balancer for
	// several.
	Client client.Doer

	// Authorizers are asked, in this order, before the application is (§6.3), and
	// before the request's body is read. One that answers "Status: 200" lets the
	// request pass, and its Variable-NAME fields become parameters of it; any other
	// status denies it, and that response goes to the client. One that fails, or
	// sends no Status, lets nothing pass. Stderr and ResponseHeaderTimeout hold for
	// each.
	Authorizers []client.Doer

	// Prefix is the part of the path that stands for the application, such as
	// "/app": its SCRIPT_NAME. What follows is PATH_INFO. Paths that do not start
	// with it, as whole segments, are not found. Empty means that the application
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
	// where the gateway runs (symbolic links are followed): without that,
	// "/upload/photo.jpg/x.php" would execute an image.
	Extension string

	// FrontController is the script that answers all paths which name none, such
	// as "/index.php". It has no effect without Extension. Empty means 404.
	FrontController string

	// Params returns further parameters for a request, for instance REMOTE_USER.
	// They take the place of those with the same names. It may be nil.
	Params func(*http.Request) []client.Pair

	// ServerSoftware is sent as SERVER_SOFTWARE. Empty means
	// DefaultServerSoftware.
	ServerSoftware string

	// SpoolMemory is how much of a body without Content-Length is kept in memory,
	// in bytes, before it goes to a temporary file. CGI wants to be told the
	// length before the body. The default is 64 KiB; without a limit no file is
	// made.
	SpoolMemory int64
	// SpoolLimit is how large such a body may be, in bytes. The default is 1 GiB.
	SpoolLimit int64
	// SpoolDir is the directory for temporary files. Empty means os.TempDir().
	SpoolDir string

	// StreamBody passes a body without Content-Length on as it arrives, without
	// CONTENT_LENGTH. That suits applications that read to the end of STDIN, as
	// those made with this module do; PHP would see no body.
	StreamBody bool

	// ResponseHeaderTimeout is how long the application may take for its header,
	// not counting the time that the client takes to send its body. Afterwards
	// there is no limit but the request's context. The default is 60 s.
	ResponseHeaderTimeout time.Duration

	// NoUpgrade keeps requests for another protocol, such as WebSocket, from the
	// application: their field Upgrade is left out. Otherwise they are passed on,
	// except for HTTP/2 ("h2c") and on HTTP/2, with STDIN left open until the
	// application has answered. Set it for applications that read STDIN to its end
	// whatever CONTENT_LENGTH says, such as fcgiwrap.
	NoUpgrade bool

	// UpgradeIdleTimeout is how long both sides of an upgraded connection may be
	// silent. It counts as one of the Client's MaxConns as long as it lasts. The
	// default is no limit.
	UpgradeIdleTimeout time.Duration

	// LocalRedirect handles the request that the application redirects to with
	// "Location: /path" and nothing else (RFC 3875 §6.2.2), a GET without a body.
	// Nil means this Handler. Where something in front of it authorises requests,
	// give that.
	LocalRedirect http.Handler

	// Stderr receives what the application writes on STDERR, line by line, without
	// line ends; lines longer than 8 KiB in parts. It is as the application wrote
	// it, control characters included. Nil means that it is logged, escaped.
	Stderr func(r *http.Request, line []byte)

	// ErrorLog is where failures are logged. Nil means slog.Default().
	ErrorLog *slog.Logger
}

// ServeHTTP asks the application and relays its answer.
//
// The answer is passed on as it arrives. On HTTP/1.1, too, the application may
// answer while the body is still being sent; the connection is then closed
// after the response.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		handler: h,
		w:       w,
		r:       r,
		control: http.NewResponseController(w),
		upgrade: h.wantsUpgrade(r),
	}
	if err := x.serve(); err != nil {
		x.fail(err)
	}
}

// An exchange is one HTTP request on its way through.
type exchange struct {
	handler *Handler
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	upgrade bool          // the client asks for another protocol, and may have it
	granted []client.Pair // by authorizers
	body    *requestBody
	code    int // of the response, once its header was given to w
}

// serve does the exchange. An error that it returns still has to be told to the
// client.
func (x *exchange) serve() error {
	site := x.handler.site()
	target, err := site.Locate(x.r)
	if err != nil {
		return err
	}
	if allowed, err := x.authorize(target); !allowed {
		return err
	}
	timer := x.newHeaderTimer()
	x.body, err = x.openBody(timer)
	if err != nil {
		return err
	}
	defer x.body.close()
	req := &client.Request{Params: x.params(target, x.body.length), Stdin: x.body.reader}
	return x.ask(timer, x.handler.Client, req, x.relay)
}

// ask sends a request and has then act on the answer, whose header must arrive
// before the timer runs out.
func (x *exchange) ask(t *limit.Timer, c client.Doer, req *client.Request, then func(answer) error) error {
	ctx, cancel := context.WithCancelCause(x.r.Context())
	defer cancel(nil)
	stderr := &logtext.Lines{Emit: x.logStderr}
	defer stderr.Flush()
	req.Stderr = stderr

	t.Start(func() { cancel(client.ErrHeaderTimeout) })
	defer t.Stop()
	resp, err := c.Do(ctx, req)
	if err != nil {
		return whyCancelled(ctx, err)
	}
	defer resp.Close()
	head, body, err := client.ReadHead(resp)
	if err != nil {
		return whyCancelled(ctx, err)
	}
	t.Stop()
	return then(answer{head, body})
}

// newHeaderTimer returns what limits how long the gateway waits for the
// application's header, not counting the time that it waits for the client's body.
func (x *exchange) newHeaderTimer() *limit.Timer {
	return limit.NewTimer(limit.Of(x.handler.ResponseHeaderTimeout, DefaultResponseHeaderTimeout, 0))
}

// whyCancelled returns ErrHeaderTimeout in place of the error that it led to.
func whyCancelled(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); errors.Is(cause, client.ErrHeaderTimeout) {
		return cause
	}
	return err
}

func (h *Handler) log() *slog.Logger {
	if h.ErrorLog != nil {
		return h.ErrorLog
	}
	return slog.Default()
}
