package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// newHandler answers requests: with the files under root, unless it is nil, and through backend with what the
// application says.
func newHandler(o *serveOptions, backend *client.Client, root *os.Root, log *journal) http.Handler {
	application := &gateway.Handler{
		Client:         backend,
		Extension:      o.extension,
		ServerSoftware: "fcgi-serve",
		ErrorLog:       slog.New(requestLog{log}),
		Stderr: func(_ *http.Request, line []byte) {
			log.output(supervise.Event{Line: string(line)})
		},
	}
	if root == nil {
		return application
	}
	application.Root = absolute(root.Name())
	if o.extension != "" {
		application.FrontController = "/index" + o.extension
	}
	first := &files{root: root, scripts: o.extension, next: application}
	application.LocalRedirect = first
	return first
}

// absolute is for what is told to an application, which may have another idea of the current folder.
func absolute(dir string) string {
	if abs, err := filepath.Abs(dir); err == nil {
		return abs
	}
	return dir
}

// A requestLog is the gateway's log of requests that failed, as lines of a journal: the values alone, which say enough.
type requestLog struct{ *journal }

func (requestLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l requestLog) WithAttrs([]slog.Attr) slog.Handler             { return l }
func (l requestLog) WithGroup(string) slog.Handler                  { return l }

func (l requestLog) Handle(_ context.Context, record slog.Record) error {
	words := []string{strings.TrimPrefix(record.Message, "fastcgi: gateway: ") + ":"}
	record.Attrs(func(attr slog.Attr) bool {
		words = append(words, attr.Value.String())
		return true
	})
	l.warn(strings.Join(words, " "))
	return nil
}
