package fastcgitest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

// echoLines answers each line of the body as it comes.
func echoLines(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	fastcgi.SendResponse(w, 200, "text/plain", nil)
	w.Flush()
	for lines := bufio.NewScanner(r); lines.Scan(); {
		fmt.Fprintf(w, "%s!\n", lines.Text())
		w.Flush()
	}
}

func TestStreaming(t *testing.T) {
	body, typed := io.Pipe()
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(echoLines)}
	call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(call)
	expect := func(want string) {
		t.Helper()
		if line, err := answer.ReadString('\n'); line != want || err != nil {
			t.Fatalf("read %q, %v; want %q", line, err, want)
		}
	}
	expect("Status: 200 OK\r\n")
	expect("Content-Type: text/plain; charset=utf-8\r\n")
	expect("\r\n")
	for _, word := range []string{"one", "two"} {
		io.WriteString(typed, word+"\n")
		expect(word + "!\n")
	}
	typed.Close()
	if _, err := answer.ReadByte(); err != io.EOF {
		t.Errorf("the end is %v", err)
	}
	for range 2 {
		resp, err := call.Wait()
		if err != nil || string(resp.Body) != "one!\ntwo!\n" {
			t.Errorf("the body is %q, the error %v", resp.Body, err)
		}
	}
	if err := call.Abort(); err == nil {
		t.Error("a request that is over was aborted")
	}
}

// causes is a handler that tells why its requests were cancelled, and answers part of what it should.
func causes(ch chan<- error) fastcgi.Handler {
	return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		io.WriteString(w, "Sta")
		w.Flush()
		<-r.Context().Done()
		ch <- context.Cause(r.Context())
	})
}

func TestAbort(t *testing.T) {
	body, typed := io.Pipe()
	cause := make(chan error, 1)
	call, err := fastcgitest.Start(t.Context(), &fastcgi.Server{Handler: causes(cause)}, fastcgitest.NewRequest("POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(call, make([]byte, 3))
	if err := call.Abort(); err != nil {
		t.Fatal(err)
	}
	if err := call.Abort(); err == nil {
		t.Error("it was aborted twice")
	}
	if err := <-cause; !errors.Is(err, fastcgi.ErrAborted) {
		t.Errorf("the cause is %v", err)
	}
	resp, err := call.Wait()
	if err != nil || string(resp.Stdout) != "Sta" {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
	if _, err := typed.Write([]byte("more")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing more of the body: %v", err)
	}
}

func TestDisconnect(t *testing.T) {
	cause := make(chan error, 1)
	call, err := fastcgitest.Start(t.Context(), &fastcgi.Server{Handler: causes(cause)}, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(call, make([]byte, 3))
	call.Disconnect()
	if err := <-cause; !errors.Is(err, fastcgi.ErrDisconnected) {
		t.Errorf("the cause is %v", err)
	}
	if _, err := call.Read(make([]byte, 1)); !errors.Is(err, fastcgi.ErrDisconnected) {
		t.Errorf("Read returned %v", err)
	}
	resp, err := call.Wait()
	if !errors.Is(err, fastcgi.ErrDisconnected) || string(resp.Stdout) != "Sta" {
		t.Errorf("the response is %+v, the error %v", resp, err)
	}
}

func TestBodyThatFails(t *testing.T) {
	body, typed := io.Pipe()
	cause := make(chan error, 1)
	call, err := fastcgitest.Start(t.Context(), &fastcgi.Server{Handler: causes(cause)}, fastcgitest.NewRequest("POST", "/", body))
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("an error of the test")
	typed.CloseWithError(broken)
	if err := <-cause; !errors.Is(err, fastcgi.ErrDisconnected) {
		t.Errorf("the cause is %v", err)
	}
	if _, err := call.Wait(); !errors.Is(err, broken) || !strings.Contains(err.Error(), "STDIN") {
		t.Errorf("the error is %v", err)
	}
}

func TestServerCloses(t *testing.T) {
	cause := make(chan error, 1)
	srv := &fastcgi.Server{Handler: causes(cause)}
	call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("GET", "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	io.ReadFull(call, make([]byte, 3))
	srv.Close()
	if err := <-cause; !errors.Is(err, fastcgi.ErrServerClosed) {
		t.Errorf("the cause is %v", err)
	}
	if _, err := call.Wait(); !errors.Is(err, fastcgi.ErrServerClosed) {
		t.Errorf("the error is %v", err)
	}
}

// The handler never ends by itself: what there is of an answer is in the error, and Wait does not wait for more.
func TestHandlerThatNeverFinishes(t *testing.T) {
	for _, kind := range []string{"sync", "async"} {
		t.Run(kind, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				over := make(chan struct{})
				defer close(over)
				h := fastcgi.Async(fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
					io.WriteString(w, "Status: 200\r\n")
					w.Flush()
					<-over
				}))
				if kind == "async" {
					h = fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
						ex.WriteString("Status: 200\r\n")
						ex.Flush()
					})
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()
				resp, err := fastcgitest.ServeAsync(ctx, h, fastcgitest.NewRequest("GET", "/", nil))
				if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), `"Status: 200\r\n"`) || string(resp.Stdout) != "Status: 200\r\n" {
					t.Errorf("the response is %+v, the error %v", resp, err)
				}
				if d := time.Since(start); d != time.Hour {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

// Nothing that a test leaves behind outlives its context: a bubble does not end before all of it has.
func TestContextEndsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body, _ := io.Pipe()
		h := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) { io.Copy(io.Discard, r) })
		if _, err := fastcgitest.Start(t.Context(), &fastcgi.Server{Handler: h}, fastcgitest.NewRequest("POST", "/", body)); err != nil {
			t.Fatal(err)
		}
		if _, err := fastcgitest.NewRecorder(t.Context(), fastcgitest.NewRequest("GET", "/", nil)); err != nil {
			t.Fatal(err)
		}
		if _, err := fastcgitest.NewAsyncRecorder(t.Context(), fastcgitest.NewRequest("GET", "/", nil)); err != nil {
			t.Fatal(err)
		}
	})
}

func TestReaderThatBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		over := make(chan struct{})
		defer close(over)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		body := readerFunc(func([]byte) (int, error) { <-over; return 0, io.EOF })
		resp, err := fastcgitest.Serve(ctx, writing("Status: 200\n\n"), fastcgitest.NewRequest("POST", "/", body))
		if err == nil || !strings.Contains(err.Error(), "io.Closer") || resp.StatusCode != 200 {
			t.Errorf("the response is %+v, the error %v", resp, err)
		}
	})
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The server's clocks are those of the bubble, and nobody who waits keeps them from going on: not a body that is not
// read, nor Abort behind it.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := &fastcgi.Server{ErrorLog: slog.New(slog.DiscardHandler), Handler: fastcgi.HandlerFunc(
			func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
				time.Sleep(time.Hour)
				io.Copy(io.Discard, r)
			})}
		body := strings.NewReader(strings.Repeat("b", 1<<20))
		call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("POST", "/", body))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		start := time.Now()
		if err := call.Abort(); err != nil {
			t.Error(err)
		}
		if d := time.Since(start); d != time.Hour {
			t.Errorf("Abort took %v", d)
		}
		if resp, err := call.Wait(); err != nil || len(resp.Stdout) > 0 {
			t.Errorf("the response is %+v, the error %v", resp, err)
		}
	})
}

// A web server that takes nothing: Write returns ErrFull until Wait reads.
func TestNothingIsReadBeforeWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written, drained := 0, false
		srv := &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			fastcgi.SendResponse(ex, 200, "text/plain", nil)
			piece := strings.Repeat("p", 1000)
			ex.OnDrain(func() {
				drained = true
				ex.Finish(0)
			})
			for {
				n, err := ex.WriteString(piece)
				if errors.Is(err, fastcgi.ErrFull) {
					return
				}
				written += n
			}
		})}
		call, err := fastcgitest.Start(t.Context(), srv, fastcgitest.NewRequest("GET", "/", nil))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if drained || written < 64<<10 || written > 256<<10 {
			t.Errorf("%d bytes were written, drained %v", written, drained)
		}
		resp, err := call.Wait()
		if err != nil || len(resp.Body) != written || !drained {
			t.Errorf("the body has %d bytes of %d, drained %v, error %v", len(resp.Body), written, drained, err)
		}
	})
}
