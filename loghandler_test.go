package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/simple-fastcgi/fastcgi"
)

// timeless is a text handler without times.
func timeless(w io.Writer) slog.Handler {
	return slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}})
}

// What concerns a request goes to its STDERR, and the rest where it went before.
func TestLogHandler(t *testing.T) {
	for _, tt := range []struct {
		name           string
		log            func(log *slog.Logger, ctx context.Context)
		params         []string
		stderr, logged string
	}{
		{
			"a request's", func(log *slog.Logger, ctx context.Context) { log.WarnContext(ctx, "oh\nno", "n", 1) }, nil,
			"level=WARN msg=\"oh\\nno\" n=1\n", "",
		},
		{
			"nobody's", func(log *slog.Logger, _ context.Context) { log.Warn("oh no", "n", 1) }, nil,
			"", "level=WARN msg=\"oh no\" n=1\n",
		},
		{
			"in a derived context, with groups", func(log *slog.Logger, ctx context.Context) {
				ctx, cancel := context.WithCancel(ctx)
				defer cancel()
				log = log.With("a", "b").WithGroup("g").With("c", "d")
				log.ErrorContext(ctx, "one", "e", "f")
				log.Error("two", "e", "f")
				log.ErrorContext(ctx, "three")
			}, nil,
			"level=ERROR msg=one a=b g.c=d g.e=f\nlevel=ERROR msg=three a=b g.c=d\n", "level=ERROR msg=two a=b g.c=d g.e=f\n",
		},
		{
			"below its level", func(log *slog.Logger, ctx context.Context) {
				log.InfoContext(ctx, "quiet")
				log.Info("loud")
				log.Debug("quiet")
			}, nil,
			"", "level=INFO msg=loud\n",
		},
		{
			"behind IIS", func(log *slog.Logger, ctx context.Context) { log.InfoContext(ctx, "oh") },
			[]string{"SERVER_SOFTWARE", "Microsoft-IIS/10.0"},
			"", "level=INFO msg=oh\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				next := new(journal)
				log := slog.New(fastcgi.NewLogHandler(timeless(next), &slog.HandlerOptions{Level: slog.LevelWarn}))
				web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { tt.log(log, r.Context()) })).dial(t)
				got := web.ask(1, httpGet(tt.params...)...)
				if got.stderr.String() != tt.stderr || next.String() != tt.logged || got.status() != 200 {
					t.Errorf("STDERR is %q, and logged was %q", got.stderr.String(), next.String())
				}
			})
		})
	}
}

// After its request, a record goes where there is somebody to read it.
func TestLogHandlerLate(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		next := new(journal)
		contexts := make(chan context.Context, 1)
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { contexts <- r.Context() })).dial(t)
		web.ask(1, httpGet()...)
		ctx := receive(t, contexts)
		eventually(t, "the request has ended", func() bool { return ctx.Err() != nil })
		log := slog.New(fastcgi.NewLogHandler(timeless(next), nil))
		log.InfoContext(ctx, "late")
		slog.New(fastcgi.NewLogHandler(nil, nil)).InfoContext(ctx, "never")
		if next.String() != "level=INFO msg=late\n" {
			t.Errorf("logged was %q", next.String())
		}
	})
}

// Many requests log side by side, each in whole lines of its own.
func TestLogHandlerConcurrent(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		log := slog.New(fastcgi.NewLogHandler(nil, nil))
		app := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			var loggers sync.WaitGroup
			for range 4 {
				loggers.Go(func() {
					for range 50 {
						log.With("uri", r.RequestURI).InfoContext(r.Context(), strings.Repeat("x", 100))
					}
				})
			}
			loggers.Wait()
		}))
		var clients sync.WaitGroup
		for _, uri := range []string{"/a", "/b"} {
			web := app.dial(t)
			clients.Go(func() {
				lines := web.ask(1, httpGet("REQUEST_URI", uri)...).stderr.String()
				line := regexp.MustCompile(`(?m)^level=INFO msg=x{100} uri=` + uri + `\n`)
				if n := len(line.FindAllString(lines, -1)); n != 200 || strings.Count(lines, "\n") != 200 {
					t.Errorf("%s has %d lines", uri, n)
				}
			})
		}
		clients.Wait()
	})
}

// A text is what a client may have sent, as a value that writes itself down.
type text string

func (t text) MarshalText() ([]byte, error) { return []byte(t), nil }

// W12: whatever a record is made of, it is one line without control characters.
func TestW12LogHandlerEscapes(t *testing.T) {
	const forged = "x\r\n2026/01/01 [alert] \x1b[2J\x00\u2028\u009b\xffy"
	everywhere(t, func(t *testing.T, p place) {
		log := slog.New(fastcgi.NewLogHandler(nil, nil))
		web := p.serveHTTP(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			log.WithGroup(forged).With(forged, forged).InfoContext(r.Context(), forged, "s", forged, forged, 1,
				"bytes", []byte(forged), "error", errors.New(forged), "text", text(forged), "any", struct{ S string }{forged},
				slog.Group(forged, forged, forged))
		})).dial(t)
		got := web.ask(1, httpGet()...).stderr.String()
		line, rest, _ := strings.Cut(got, "\n")
		if !strings.Contains(line, `[alert]`) || rest != "" {
			t.Errorf("STDERR is %q", got)
		}
		for _, r := range line {
			if !unicode.IsPrint(r) || r == utf8.RuneError {
				t.Errorf("%q is in the line %q", r, line)
			}
		}
	})
}
