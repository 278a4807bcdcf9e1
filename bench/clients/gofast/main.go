//go:build linux

// Command gofast calls with github.com/yookoala/gofast.
package main

import (
	"errors"
	"io"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/bench/clients/caller"
	"github.com/simple-fastcgi/fastcgi/bench/harness"
	"github.com/yookoala/gofast"
)

func main() { caller.Main(newCall) }

// newCall keeps, if connections are kept, a client with a connection for each caller:
// the pool that gofast has makes more of them than there are callers.
func newCall(t caller.Task) (caller.Call, error) {
	if t.Multiplex {
		return nil, errors.New("gofast reads one answer at a time")
	}
	dial := gofast.SimpleClientFactory(gofast.SimpleConnFactory(t.Network, t.Addr))
	params := t.ParamMap()
	call := func(c gofast.Client, a *harness.Answer) error {
		req := gofast.NewRequest(nil)
		req.Params = params
		if body := t.NewBody(); body != nil {
			req.Stdin = io.NopCloser(body)
		}
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		return resp.WriteTo(&response{answer: a, header: make(http.Header)}, io.Discard)
	}
	if !t.Keep {
		return func(a *harness.Answer) error {
			c, err := dial()
			if err != nil {
				return err
			}
			defer c.Close()
			return call(c, a)
		}, nil
	}
	c, err := dial()
	if err != nil {
		return nil, err
	}
	return func(a *harness.Answer) error { return call(c, a) }, nil
}

// A response is where gofast writes one to.
type response struct {
	answer *harness.Answer
	header http.Header
}

func (r *response) Header() http.Header { return r.header }

func (r *response) WriteHeader(status int) {
	r.answer.NoHeader()
	if status != http.StatusOK {
		r.answer.Fail("its status is %d", status)
	}
}

func (r *response) Write(p []byte) (int, error) {
	r.answer.Body(p)
	return len(p), nil
}
