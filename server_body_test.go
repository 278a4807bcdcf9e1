package fastcgi_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/simple-fastcgi/fastcgi"
)

// A callback that is registered when all of the body is there already is called for what it missed.
func TestOnBodyLate(t *testing.T) {
	for _, body := range []string{"", "body", strings.Repeat("x", 60000)} {
		everywhere(t, func(t *testing.T, p place) {
			exchanges := make(chan fastcgi.Exchange, 1)
			w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { exchanges <- ex })}).dial(t)
			w.send(post(1, true, body))
			ex := receive(t, exchanges)
			w.manage(question()) // all of it has arrived
			var got strings.Builder
			ex.OnBody(func(chunk []byte, last bool) {
				got.Write(chunk)
				if last {
					io.WriteString(ex, got.String())
					ex.Finish(0)
				}
			})
			w.answer(1).expectWritten(t, body)
		})
	}
}

// A paused body is delivered after ResumeBody, and then to its end.
func TestPauseBody(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		chunks := make(chan string, 10)
		exchanges := make(chan fastcgi.Exchange, 1)
		w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.OnBody(func(chunk []byte, last bool) {
				chunks <- fmt.Sprintf("%s %v", chunk, last)
				ex.PauseBody()
			})
			exchanges <- ex
		})}).dial(t)
		w.send(start(1, true), stdin(1, "one"))
		if got := receive(t, chunks); got != "one false" {
			t.Errorf("got %q", got)
		}
		ex := receive(t, exchanges)
		w.send(stdin(1, "two"), stdin(1, "three"))
		w.manage(question())
		if len(chunks) > 0 {
			t.Errorf("got %q while paused", <-chunks)
		}
		ex.ResumeBody()
		if got := receive(t, chunks); got != "twothree false" {
			t.Errorf("got %q", got)
		}
		w.send(stdinEnd(1))
		w.manage(question())
		if len(chunks) > 0 {
			t.Errorf("got %q while paused", <-chunks)
		}
		ex.ResumeBody()
		if got := receive(t, chunks); got != " true" {
			t.Errorf("got %q", got)
		}
		ex.ResumeBody() // nothing is left
		ex.Finish(0)
		w.answer(1).expectUnanswered(t)
	})
}

// A handler that takes a large body in its own time has no more of it in memory than StdinBuffer and one read.
func TestPauseBodyKeepsMemoryFlat(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		const size = 10 << 20
		const most = fastcgi.DefaultStdinBuffer + 2*(64<<10) + 1000 // with two reads of the loop driver, and the parameters
		body := make([]byte, size)
		rand.NewChaCha8([32]byte{}).Read(body)
		srv := &fastcgi.Server{}
		srv.AsyncHandler = fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			sum, n := sha256.New(), 0
			ex.OnBody(func(chunk []byte, last bool) {
				if held := srv.Stats().BufferedBytes; held > most {
					t.Errorf("%d bytes are in memory", held)
				}
				sum.Write(chunk)
				n += len(chunk)
				if last {
					fmt.Fprintf(ex, "%d %x", n, sum.Sum(nil))
					ex.Finish(0)
					return
				}
				ex.PauseBody()
				go ex.ResumeBody()
			})
		})
		a := p.serve(t, srv)
		w := a.dial(t)
		request := post(1, false, string(body))
		w.expects(request)
		go w.Write(request)
		w.answer(1).expect(t, fmt.Sprintf("%d %x", size, sha256.Sum256(body)))
		if n := a.Stats().SpooledBytes; n != 0 {
			t.Errorf("%d bytes were spooled", n)
		}
	})
}

// ReadAll gives the whole body, or says why it does not: at its limit, one below and one above.
func TestReadAll(t *testing.T) {
	const limit = 1000
	for _, test := range []struct {
		name      string
		size      int
		announced string // CONTENT_LENGTH
		want      int    // size that ReadAll gives
		err       error
	}{
		{"empty", 0, "0", 0, nil},
		{"one below", limit - 1, "999", limit - 1, nil},
		{"at the limit", limit, "1000", limit, nil},
		{"one above", limit + 1, "1001", 0, fastcgi.ErrBodyTooLarge},
		{"one below, unannounced", limit - 1, "", limit - 1, nil},
		{"at the limit, unannounced", limit, "", limit, nil},
		{"one above, unannounced", limit + 1, "", 0, fastcgi.ErrBodyTooLarge},
		{"more than announced", limit + 1, "1000", limit, nil},
		{"much more than announced", 100 * limit, "5", 5, nil},
		{"less than announced", limit - 1, "1000", 0, io.ErrUnexpectedEOF},
	} {
		t.Run(test.name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, p place) {
				var calls atomic.Int32
				w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
					ex.ReadAll(limit, func(body []byte, err error) {
						calls.Add(1)
						if !errors.Is(err, test.err) {
							t.Errorf("the error is %v", err)
						}
						ex.Write(body)
						// Not at once: nothing that comes later may have it called again.
						ex.Loop().Post(func() { ex.Finish(0) })
					})
				})}).dial(t)
				body := strings.Repeat("x", test.size)
				w.send(start(1, true, "CONTENT_LENGTH", test.announced), stdin(1, body), stdinEnd(1))
				if got := w.answer(1); errors.Is(test.err, io.ErrUnexpectedEOF) {
					got.expect(t, "") // which cancels it
				} else {
					got.expectWritten(t, body[:test.want])
				}
				if calls.Load() != 1 {
					t.Errorf("the callback was called %d times", calls.Load())
				}
			})
		})
	}
}

// ReadAll does not wait for the end of a body that has all its bytes.
func TestReadAllStopsAtContentLength(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.ReadAll(100, func(body []byte, err error) {
				fmt.Fprintf(ex, "%s %v", body, err)
				ex.Finish(0)
			})
		})}).dial(t)
		w.send(start(1, true, "CONTENT_LENGTH", "4"), stdin(1, "bo"), stdin(1, "dy"))
		w.answer(1).expect(t, "body <nil>")
	})
}

// ReadAll says why there is no body when the request is cancelled, however far the body had come, and if it was before.
func TestReadAllCancelled(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		exchanges := make(chan fastcgi.Exchange, 1)
		w := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) { exchanges <- ex })}).dial(t)
		for _, late := range []bool{false, true} {
			w.send(start(1, true, "CONTENT_LENGTH", "10"), stdin(1, "body"))
			ex := receive(t, exchanges)
			errs := make(chan error, 2)
			read := func() {
				ex.ReadAll(100, func(body []byte, err error) {
					if body != nil {
						t.Errorf("the body is %q", body)
					}
					errs <- err
				})
			}
			if !late {
				read()
			}
			w.send(abort(1))
			w.manage(question())
			if late {
				read()
			}
			if err := receive(t, errs); !errors.Is(err, fastcgi.ErrAborted) {
				t.Errorf("the error is %v", err)
			}
			ex.Finish(0)
			w.answer(1)
		}
	})
}

// A40: what OnBody is given is what was sent, byte for byte, however it arrives.
func TestA40OnBodyGivesAll(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		w := p.serve(t, &fastcgi.Server{AsyncHandler: echoingBody()}).dial(t)
		var want bytes.Buffer
		w.send(start(1, true))
		for n := range 300 {
			piece := strings.Repeat(strconv.Itoa(n), n%7+1)
			want.WriteString(piece)
			w.send(stdin(1, piece))
		}
		w.send(stdinEnd(1))
		w.answer(1).expect(t, want.String())
	})
}

func echoingBody() fastcgi.AsyncHandler {
	return fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		ex.OnBody(func(chunk []byte, last bool) {
			ex.Write(chunk)
			if last {
				ex.Finish(0)
			}
		})
	})
}

// A40: OnBody is held to CONTENT_LENGTH as Read is: what is beyond is dropped, and the last call comes with the last
// byte that was announced.
func TestA40OnBodyStopsAtContentLength(t *testing.T) {
	for sent, want := range map[string]string{"abc": "abc", "abcdef": "abc", "": ""} {
		everywhere(t, func(t *testing.T, p place) {
			w := p.serve(t, &fastcgi.Server{AsyncHandler: echoingBody()}).dial(t)
			w.send(start(1, true, "CONTENT_LENGTH", strconv.Itoa(len(want))))
			if sent != "" {
				w.send(stdin(1, sent[:2]), stdin(1, sent[2:]))
			}
			w.answer(1).expectWritten(t, want)
		})
	}
}

// A40: a body that is shorter has no last call. OnAbort is told, or, where nobody asked for that, the request ends.
func TestA40OnBodyTooShort(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		causes := make(chan error, 1)
		a := p.serve(t, &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.OnBody(func(chunk []byte, last bool) {
				if last {
					t.Error("there was a last piece")
				}
			})
			if ex.ID() == 1 {
				ex.OnAbort(func(cause error) {
					causes <- cause
					io.WriteString(ex, "Status: 422 Short\r\n\r\n")
					ex.Finish(3)
				})
			}
		})})
		w := a.dial(t)
		for id := uint16(1); id <= 2; id++ {
			w.send(start(id, true, "CONTENT_LENGTH", "4"), stdin(id, "abc"), stdinEnd(id))
			got := w.answer(id)
			switch {
			case id == 1 && (got.status() != 422 || got.end.AppStatus != 3):
				t.Errorf("with OnAbort: status %d, %+v", got.status(), got.end)
			case id == 2 && (got.status() != 400 || got.end.AppStatus != 1):
				t.Errorf("without: status %d, %+v", got.status(), got.end)
			}
		}
		if err := receive(t, causes); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("the cause is %v", err)
		}
	})
}

// A41: an authorizer has no body, with or without the record that ends one, and whatever length is announced.
func TestA41AuthorizerHasNoBody(t *testing.T) {
	authorizers := map[string]*fastcgi.Server{
		"authorizer": {Authorizer: fastcgi.AuthorizerFunc(func(r *fastcgi.Request) fastcgi.Decision {
			body, err := io.ReadAll(r)
			return fastcgi.Allow(fastcgi.Pair{Name: "BODY", Value: fmt.Sprintf("%q %v", body, err)})
		})},
		"async": {AsyncAuthorizer: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.ReadAll(10, func(body []byte, err error) {
				fastcgi.Allow(fastcgi.Pair{Name: "BODY", Value: fmt.Sprintf("%q %v", body, err)}).Send(ex)
				ex.Finish(0)
			})
		})},
	}
	for name, srv := range authorizers {
		t.Run(name, func(t *testing.T) {
			w := inBubble.serve(t, srv).dial(t)
			for _, end := range [][]byte{nil, stdinEnd(1), slices.Concat(stdin(1, "ignored"), stdinEnd(1))} {
				w.send(begin(1, fastcgi.RoleAuthorizer, true), params(1, "CONTENT_LENGTH", "7"), paramsEnd(1))
				w.answer(1).expect(t, "Status: 200 OK\r\nVariable-BODY: \"\" <nil>\r\n\r\n")
				w.send(end)
			}
		})
	}
}

// A42: a filter begins to answer when it was sent all of STDIN, not before, however much it has written.
func TestA42FilterAnswersAfterStdin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		requests := make(chan *held, 1)
		w := inBubble.serve(t, &fastcgi.Server{Filter: holding(requests)}).dial(t)
		w.send(begin(1, fastcgi.RoleFilter, true), params(1, "FCGI_DATA_LAST_MOD", "1"), paramsEnd(1))
		h := <-requests
		text := strings.Repeat("x", 100000)
		go io.WriteString(h.w, text)
		synctest.Wait()
		w.send(stdin(1, "body"))
		w.manage(question())
		if n := w.open[1].stdout.Len(); n > 0 {
			t.Errorf("%d bytes came before the end of STDIN", n)
		}
		w.send(stdinEnd(1))
		w.untilStdout(1, "x")
		synctest.Wait()
		// It may finish without DATA, which is then dropped.
		h.finish()
		w.answer(1).expect(t, text)
		w.send(data(1, "late"), dataEnd(1))
		w.send(begin(1, fastcgi.RoleFilter, true), paramsEnd(1), stdinEnd(1), data(1, "file"), dataEnd(1))
		h = <-requests
		io.Copy(h.w, h.r.Data())
		h.finish()
		w.answer(1).expect(t, "file")
	})
}
