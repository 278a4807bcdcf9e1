package fastcgi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// childRole is the variable that makes the test binary play a part in a test: it holds a part, in JSON.
const childRole = "FASTCGI_TEST_ROLE"

// A part is the program that a child is: a server like any other, but for what its requests can have it do.
type part struct {
	Driver       fastcgi.Driver
	Addr         string
	CertFile     string
	KeyFile      string
	DrainTimeout time.Duration
	Closed       bool   // before it runs
	Kind         string // of handler, see measured; empty for the one that does
}

func playChild(role string) int {
	var p part
	if err := json.Unmarshal([]byte(role), &p); err != nil {
		panic(err)
	}
	if err := p.run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func (p part) run() error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	srv := &fastcgi.Server{
		Driver: p.Driver, Addr: p.Addr, DrainTimeout: p.DrainTimeout,
		ListenOptions:    fastcgi.ListenOptions{CertFile: p.CertFile, KeyFile: p.KeyFile},
		FirstByteTimeout: patience,
		ErrorLog:         slog.New(slog.NewTextHandler(os.Stderr, nil)),
	}
	if p.Kind != "" {
		measured(srv, p.Kind)
	} else {
		srv.Handler = doer(cancel)
	}
	if p.Closed {
		srv.Close()
	}
	return srv.Run(ctx)
}

// doer is a handler that does what the parameter DO says.
func doer(cancel func()) fastcgi.Handler {
	return fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		switch r.Params.Get("DO") {
		case "hold":
			hold(w, r)
		case "cancel":
			cancel()
			hold(w, r)
		case "stick":
			io.WriteString(w, "stuck")
			w.Flush()
			select {}
		case "complain":
			_, err := fmt.Fprintln(os.Stderr, "complaint")
			fmt.Fprint(w, err)
		case "print":
			fmt.Println("printed")
			syscall.Write(1, []byte("written to 1\n"))
			echo := exec.Command("/bin/echo", "by a child")
			echo.Stdout = os.Stdout
			echo.Run()
			io.WriteString(w, "hello")
		case "fail":
			io.Copy(w, r)
			io.WriteString(w.Stderr(), "failed\n")
			w.SetAppStatus(3)
		default:
			io.WriteString(w, "hello")
		}
	})
}

// hold answers when it has been sent the whole body, or says why that never came.
func hold(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	io.WriteString(w, "held ")
	w.Flush()
	body, err := io.ReadAll(r)
	if err != nil {
		fmt.Fprintln(os.Stderr, "request cancelled:", context.Cause(r.Context()))
	}
	w.Write(body)
}

// measured makes srv the server of one kind of handler that memory_test.go measures. A request with DO=figures is told the
// figures, one with DO=wait waits until it is cancelled, and the others are answered.
func measured(srv *fastcgi.Server, kind string) {
	var waiting atomic.Int64
	switch kind {
	case "sync":
		srv.Handler = fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			if r.Params.Get("DO") == "wait" {
				waiting.Add(1)
				<-r.Context().Done()
				return
			}
			answerMeasured(w, r.Params, &waiting)
		})
	case "async":
		srv.AsyncHandler = fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if ex.Params().Get("DO") == "wait" {
				waiting.Add(1)
				ex.OnAbort(func(error) { ex.Finish(0) })
				return
			}
			answerMeasured(ex, ex.Params(), &waiting)
			ex.Finish(0)
		})
	case "http":
		srv.Handler = fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			params := fastcgi.FromContext(r.Context()).Params
			if params.Get("DO") == "wait" {
				waiting.Add(1)
				<-r.Context().Done()
				return
			}
			answerMeasured(httpWriter{w}, params, &waiting)
		}))
	}
}

// An httpWriter leaves it to net/http to write a header.
type httpWriter struct{ w http.ResponseWriter }

func (h httpWriter) Write(p []byte) (int, error) {
	_, body, _ := bytes.Cut(p, []byte("\r\n\r\n"))
	return h.w.Write(body)
}

func answerMeasured(w io.Writer, params fastcgi.Params, waiting *atomic.Int64) {
	if params.Get("DO") == "figures" {
		f := takeFigures()
		f.Waiting = waiting.Load()
		text, _ := json.Marshal(f) // of numbers: it does not fail
		fmt.Fprintf(w, "\r\n\r\n%s", text)
		return
	}
	w.Write(helloAnswer)
}

var helloAnswer = []byte("Content-Type: text/plain\r\n\r\nhello, world\n")

// figures are what a process has used.
type figures struct {
	Memory  int64 // bytes of heap and stacks in use
	Waiting int64 // requests
}

func takeFigures() figures {
	for range 3 {
		runtime.GC() // and what the pools keep goes with the second
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return figures{Memory: int64(m.HeapInuse + m.StackInuse)}
}
