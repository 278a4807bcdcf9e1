package caddyfcgi

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"

	"github.com/simple-fastcgi/fastcgi/client"
)

// What of STDERR makes one entry of the log: so many bytes at most, and after the
// header what comes within such a time.
const (
	maxHeld  = 16 << 10
	holdTime = 100 * time.Millisecond
)

// A stderrLog logs what an application writes on STDERR. What it writes before its
// header waits for that, since the status says how grave it is. Lines that come
// together are one entry: PHP's stack traces have many.
type stderrLog struct {
	mu    sync.Mutex
	held  bytes.Buffer
	level zapcore.Level
	known bool // level is
}

// logStderr is called by package client with each line.
func logStderr(r *http.Request, line []byte) {
	x := exchangeOf(r)
	if capture := x.transport.CaptureStderr; capture != nil && !*capture {
		return
	}
	x.stderr.line(x, line)
}

func (l *stderrLog) line(x *exchange, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held.Len() > 0 {
		l.held.WriteByte('\n')
	} else if l.known {
		time.AfterFunc(holdTime, func() { l.flush(x) })
	}
	l.held.Write(line)
	if l.held.Len() >= maxHeld {
		l.emit(x)
	}
}

func (l *stderrLog) flush(x *exchange) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.emit(x)
}

// header notes the status of the response.
func (l *stderrLog) header(x *exchange, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known = true
	if status >= http.StatusBadRequest {
		l.level = zapcore.ErrorLevel
	} else {
		l.level = zapcore.WarnLevel
	}
	if l.held.Len() > 0 { // and the last line may be yet to come, with the end of the request
		time.AfterFunc(holdTime, func() { l.flush(x) })
	}
}

// emit logs what is held. It needs mu.
func (l *stderrLog) emit(x *exchange) {
	if l.held.Len() == 0 {
		return
	}
	level := zapcore.WarnLevel
	if l.known {
		level = l.level
	}
	if c := x.transport.logger.Check(level, "stderr"); c != nil {
		c.Write(zap.ByteString("body", l.held.Bytes()), loggedRequest(x.request))
	}
	l.held.Reset()
}

// slog is Caddy's log for what package client has to say.
func (t *Transport) slog() *slog.Logger { return slog.New(zapslog.NewHandler(t.logger.Core())) }

func logsCredentials(r *http.Request) bool {
	server, ok := r.Context().Value(caddyhttp.ServerCtxKey).(*caddyhttp.Server)
	return ok && server.Logs != nil && server.Logs.ShouldLogCredentials
}

func loggedRequest(r *http.Request) zap.Field {
	return zap.Object("request", caddyhttp.LoggableHTTPRequest{
		Request:              r,
		ShouldLogCredentials: logsCredentials(r),
	})
}

// loggedParams are variables for the log. The header is not among them, but for
// what the configuration says.
type loggedParams struct {
	params      []client.Pair
	credentials bool
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (l loggedParams) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	for _, p := range l.params {
		value := p.Value
		switch strings.ToUpper(p.Name) {
		case "HTTP_COOKIE", "HTTP_SET_COOKIE", "HTTP_AUTHORIZATION", "HTTP_PROXY_AUTHORIZATION":
			if !l.credentials {
				value = ""
			}
		}
		enc.AddString(p.Name, value)
	}
	return nil
}
