package fastcgitest_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

func newRecorder(t *testing.T, ctx context.Context, req *fastcgitest.Request) *fastcgitest.Recorder {
	t.Helper()
	rec, err := fastcgitest.NewRecorder(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func TestRecorder(t *testing.T) {
	req := fastcgitest.NewRequest("POST", "/", strings.NewReader("body"))
	req.Data = strings.NewReader("data")
	req.Role = fastcgi.RoleFilter
	rec := newRecorder(t, t.Context(), req)
	echo(rec.Writer, rec.Request)
	io.WriteString(rec.Writer.Stderr(), "noted")
	rec.Writer.SetAppStatus(4)
	for range 2 {
		resp, err := rec.Result()
		if err != nil || string(resp.Body) != "FILTER body data" || string(resp.Stderr) != "noted" || resp.AppStatus != 4 {
			t.Errorf("the response is %+v, body %q, error %v", resp, resp.Body, err)
		}
	}
	if _, err := rec.Writer.Write([]byte("late")); !errors.Is(err, fastcgi.ErrFinished) {
		t.Errorf("Write after Result returned %v", err)
	}
	if _, err := rec.Request.Read(make([]byte, 1)); err == nil {
		t.Error("Read after Result returned no error")
	}
	if cause := context.Cause(rec.Request.Context()); !errors.Is(cause, fastcgi.ErrFinished) {
		t.Errorf("the context after Result has ended with %v", cause)
	}
}

// There is no goroutine of the test's to read the answer, while its own one writes it.
func TestRecorderTakesMuch(t *testing.T) {
	rec := newRecorder(t, t.Context(), fastcgitest.NewRequest("GET", "/", nil))
	long := strings.Repeat("long", 1<<20)
	if err := fastcgi.SendResponse(rec.Writer, 200, "text/plain", strings.NewReader(long)); err != nil {
		t.Fatal(err)
	}
	resp, err := rec.Result()
	if err != nil || string(resp.Body) != long {
		t.Errorf("the body has %d bytes, the error is %v", len(resp.Body), err)
	}
}

func TestRecorderOfAuthorizer(t *testing.T) {
	req := fastcgitest.NewRequest("GET", "/", nil)
	req.Role = fastcgi.RoleAuthorizer
	rec := newRecorder(t, t.Context(), req)
	if rec.Request.Role != fastcgi.RoleAuthorizer {
		t.Errorf("the role is %v", rec.Request.Role)
	}
	if err := fastcgi.Allow(fastcgi.Pair{Name: "A", Value: "b"}).Send(rec.Writer); err != nil {
		t.Error(err)
	}
	resp, err := rec.Result()
	if err != nil || len(resp.Variables) != 1 {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
}

func TestRecorderEndsWithItsContext(t *testing.T) {
	cause := errors.New("an error of the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	rec := newRecorder(t, ctx, fastcgitest.NewRequest("GET", "/", nil))
	cancel(cause)
	<-rec.Request.Context().Done()
	if _, err := rec.Result(); !errors.Is(err, cause) {
		t.Errorf("the error is %v", err)
	}
}

func TestRecorderIsCancelled(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cancel func(*fastcgitest.Recorder)
		cause  error
		err    error
	}{
		{"abort", func(rec *fastcgitest.Recorder) {
			if err := rec.Abort(); err != nil {
				t.Error(err)
			}
		}, fastcgi.ErrAborted, nil},
		{"disconnect", (*fastcgitest.Recorder).Disconnect, fastcgi.ErrDisconnected, fastcgi.ErrDisconnected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec := newRecorder(t, t.Context(), fastcgitest.NewRequest("GET", "/", nil))
			ctx := rec.Request.Context()
			tt.cancel(rec)
			<-ctx.Done()
			if cause := context.Cause(ctx); !errors.Is(cause, tt.cause) || !rec.Request.Aborted() {
				t.Errorf("the cause is %v", cause)
			}
			if _, err := rec.Result(); !errors.Is(err, tt.err) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestAsyncRecorder(t *testing.T) {
	rec, err := fastcgitest.NewAsyncRecorder(t.Context(), fastcgitest.NewRequest("POST", "/", strings.NewReader("body")))
	if err != nil {
		t.Fatal(err)
	}
	ex := rec.Exchange
	ex.ReadAll(10, func(body []byte, err error) {
		if err != nil {
			t.Error(err)
		}
		fastcgi.SendResponse(ex, 200, "text/plain", body)
		ex.Finish(5)
	})
	resp, err := rec.Result()
	if err != nil || string(resp.Body) != "body" || resp.AppStatus != 5 {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
	if err := ex.Finish(0); !errors.Is(err, fastcgi.ErrFinished) {
		t.Errorf("a second Finish returned %v", err)
	}
}

func TestAsyncRecorderIsCancelled(t *testing.T) {
	for _, tt := range []struct {
		name   string
		cancel func(*fastcgitest.AsyncRecorder)
		cause  error
		err    error
	}{
		{"abort", func(rec *fastcgitest.AsyncRecorder) {
			if err := rec.Abort(); err != nil {
				t.Error(err)
			}
		}, fastcgi.ErrAborted, nil},
		{"disconnect", (*fastcgitest.AsyncRecorder).Disconnect, fastcgi.ErrDisconnected, fastcgi.ErrDisconnected},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rec, err := fastcgitest.NewAsyncRecorder(t.Context(), fastcgitest.NewRequest("GET", "/", nil))
			if err != nil {
				t.Fatal(err)
			}
			causes := make(chan error, 1)
			rec.Exchange.OnAbort(func(cause error) {
				causes <- cause
				rec.Exchange.Finish(0)
			})
			tt.cancel(rec)
			if cause := <-causes; !errors.Is(cause, tt.cause) {
				t.Errorf("the cause is %v", cause)
			}
			if _, err := rec.Result(); !errors.Is(err, tt.err) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

func TestRecorderOfWhatTheServerRefuses(t *testing.T) {
	before := slog.Default()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // the recorder's server logs there
	defer slog.SetDefault(before)
	req := fastcgitest.NewRequest("GET", "/", nil)
	req.SetParam("LONG", strings.Repeat("a", 64<<10))
	rec, err := fastcgitest.NewRecorder(t.Context(), req)
	if err == nil || !strings.Contains(err.Error(), "status 431") {
		t.Errorf("the recorder is %v, the error %v", rec, err)
	}
}
