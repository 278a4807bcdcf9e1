package fastcgi_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// inBothModes runs answer as a Handler and as an AsyncHandler that finishes behind it, and asks each once.
func inBothModes(t *testing.T, answer func(w fastcgi.ResponseWriter), check func(t *testing.T, a *app, got *answer)) {
	t.Helper()
	for mode, srv := range map[string]*fastcgi.Server{
		"sync": {Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { answer(w) })},
		"async": {AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			answer(ex)
			ex.Finish(0)
		})},
	} {
		t.Run(mode, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				a := p.serve(t, reused(srv))
				check(t, a, a.dial(t).ask(1, "REQUEST_METHOD", "GET", "REQUEST_URI", "/a%20b?secret"))
			})
		})
	}
}

// W17: of many who race to answer a request, one does, and nothing of the others is written.
func TestW17RaceToRespond(t *testing.T) {
	const racers = 8
	long := strings.Repeat("x", 40_000)
	for name, data := range map[string]func() any{
		"string":      func() any { return "x" },
		"long string": func() any { return long },
		"long bytes":  func() any { return []byte(long) },
		"sequence":    func() any { return func(yield func(string) bool) { _ = yield("a") && yield("b") } },
	} {
		t.Run(name, func(t *testing.T) {
			var won, refused atomic.Int32
			race := func(w fastcgi.ResponseWriter) {
				won.Store(0)
				refused.Store(0)
				begin := make(chan struct{})
				var all sync.WaitGroup
				writers := wrappersOf(w)
				for i := range racers {
					w := writers[i%len(writers)]
					all.Go(func() {
						<-begin
						switch err := fastcgi.SendResponse(w, 200, "", data()); {
						case err == nil:
							won.Add(1)
						case errors.Is(err, fastcgi.ErrResponded):
							refused.Add(1)
						default:
							t.Error(err)
						}
					})
				}
				close(begin)
				all.Wait()
			}
			inBothModes(t, race, func(t *testing.T, _ *app, got *answer) {
				if won.Load() != 1 || refused.Load() != racers-1 {
					t.Errorf("%d have answered, and %d were refused", won.Load(), refused.Load())
				}
				if n := strings.Count(got.stdout.String(), "Status: "); n != 1 || got.end.AppStatus != 0 {
					t.Errorf("the answer has %d heads: %q", n, clip(got.stdout.String()))
				}
			})
		})
	}
}

// A decorated is a ResponseWriter that somebody made of an Exchange.
type decorated struct{ fastcgi.Exchange }

// A wrapped is one that somebody made of any, as wrappers of an http.ResponseWriter are made.
type wrapped struct{ fastcgi.ResponseWriter }

func (w wrapped) Unwrap() fastcgi.ResponseWriter { return w.ResponseWriter }

// wrappersOf returns what a request may be answered through: w itself, and what others make of it.
func wrappersOf(w fastcgi.ResponseWriter) []fastcgi.ResponseWriter {
	all := []fastcgi.ResponseWriter{w, wrapped{w}, &wrapped{wrapped{w}}}
	if ex, ok := w.(fastcgi.Exchange); ok {
		all = append(all, decorated{ex}, &decorated{ex}, wrapped{decorated{ex}})
	}
	return all
}

// W17: whatever was written before, a response is refused behind it, and closes what it was to send.
func TestW17RespondsFirst(t *testing.T) {
	for name, first := range map[string]func(w fastcgi.ResponseWriter) error{
		"SendResponse": func(w fastcgi.ResponseWriter) error { return fastcgi.SendResponse(w, 200, "", "first") },
		"SendRedirect": func(w fastcgi.ResponseWriter) error { return fastcgi.SendRedirect(w, "/first") },
		"Decision":     func(w fastcgi.ResponseWriter) error { return fastcgi.Deny(403, "", "first").Send(w) },
		"Write":        func(w fastcgi.ResponseWriter) error { _, err := io.WriteString(w, "first"); return err },
		"long Write": func(w fastcgi.ResponseWriter) error {
			_, err := w.Write([]byte(strings.Repeat("first", 10_000)))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(w fastcgi.ResponseWriter) {
				if err := fastcgi.SendResponse(w, 0, "", nil); err == nil || errors.Is(err, fastcgi.ErrResponded) {
					t.Errorf("an impossible response returns %v", err)
				}
				if _, err := io.WriteString(w.Stderr(), "no response"); err != nil {
					t.Error(err)
				}
				if err := first(w); err != nil {
					t.Error(err)
				}
				for _, w := range wrappersOf(w) {
					c := &closer{Reader: strings.NewReader("second")}
					for what, err := range map[string]error{
						"SendResponse":             fastcgi.SendResponse(w, 500, "", "second"),
						"SendResponse of a reader": fastcgi.SendResponse(w, 500, "", c),
						"SendRedirect":             fastcgi.SendRedirect(w, "/second"),
						"Decision.Send":            fastcgi.Allow().Send(w),
					} {
						if !errors.Is(err, fastcgi.ErrResponded) {
							t.Errorf("%T: %s returns %v", w, what, err)
						}
					}
					if c.closed != 1 {
						t.Errorf("the reader was closed %d times", c.closed)
					}
				}
				if _, err := io.WriteString(w, " and third"); err != nil {
					t.Error(err)
				}
			}, func(t *testing.T, _ *app, got *answer) {
				if text := got.stdout.String(); strings.Contains(text, "second") || strings.Contains(text, "500") || !strings.HasSuffix(text, " and third") {
					t.Errorf("the answer is %q", clip(text))
				}
			})
		})
	}
}

// W17: who answers too late is told that, and not that the buffer is full.
func TestW17RespondedAndFull(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if err := fastcgi.SendResponse(ex, 200, "", strings.Repeat("x", 100_000)); err != nil {
				t.Error(err)
			}
			if err := fastcgi.SendResponse(ex, 200, "", nil); !errors.Is(err, fastcgi.ErrResponded) {
				t.Errorf("SendResponse behind a full buffer returns %v", err)
			}
			ex.Finish(0)
			if err := fastcgi.SendResponse(ex, 200, "", nil); !errors.Is(err, fastcgi.ErrFinished) {
				t.Errorf("SendResponse after Finish returns %v", err)
			}
		})}).dial(t)
		w.ask(1)
	})
}

// A keeper writes nothing by itself, as what compresses a response until it has seen enough.
type keeper struct {
	wrapped
	kept strings.Builder
	err  error // what Write returns
}

func (k *keeper) Write(p []byte) (int, error) {
	if k.err != nil {
		return 0, k.err
	}
	return k.kept.Write(p)
}

// W17: a response that a wrapper holds back has claimed the request all the same; one that a wrapper did not take has not.
func TestW17ClaimedByWrapper(t *testing.T) {
	inBothModes(t, func(w fastcgi.ResponseWriter) {
		failing := &keeper{wrapped: wrapped{w}, err: errors.New("full")}
		if err := fastcgi.SendResponse(failing, 200, "", "failed"); !errors.Is(err, failing.err) {
			t.Errorf("a Write that fails returns %v", err)
		}
		k := &keeper{wrapped: wrapped{w}}
		if err := fastcgi.SendResponse(k, 200, "", "kept"); err != nil {
			t.Error(err)
		}
		for _, w := range append(wrappersOf(w), k) {
			if err := fastcgi.SendResponse(w, 500, "", "second"); !errors.Is(err, fastcgi.ErrResponded) {
				t.Errorf("%T returns %v", w, err)
			}
		}
		if _, err := io.WriteString(w, k.kept.String()); err != nil {
			t.Error(err)
		}
	}, func(t *testing.T, _ *app, got *answer) {
		if text := got.stdout.String(); text != "Status: 200 OK\r\n\r\nkept" {
			t.Errorf("the answer is %q", text)
		}
	})
}

// What wraps a ResponseWriter and says so has HEAD answered without a body, and an Exchange's stream sent on the loop.
func TestSendResponseWrapped(t *testing.T) {
	long := strings.Repeat("x", 200_000) // more than an Exchange takes at once
	for method, body := range map[string]string{"GET": long, "HEAD": ""} {
		for i := range 6 {
			send := func(w fastcgi.ResponseWriter) {
				if all := wrappersOf(w); i < len(all) {
					w = all[i]
				}
				if err := fastcgi.SendResponse(w, 200, "", strings.NewReader(long)); err != nil {
					t.Error(err)
				}
			}
			everywhere(t, func(t *testing.T, p place) {
				for _, srv := range []*fastcgi.Server{
					{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) { send(w) })},
					{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { send(ex); ex.Finish(0) })},
				} {
					got := p.serve(t, srv).dial(t).ask(1, "REQUEST_METHOD", method).stdout.String()
					if want := "Status: 200 OK\r\n\r\n" + body; got != want {
						t.Errorf("writer %d of %s: the answer is %q", i, method, clip(got))
					}
				}
			})
		}
	}
}
