package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// An order is what a query asks the probe to do.
type order struct {
	do   string
	n    int64         // bytes, stream: how many
	wait time.Duration // stream, events, sleep: the query's ms
	code uint32        // status, exit
	to   string        // redirect
	text string        // stderr
	when string        // panic
}

// parseOrder reads a query. Without do it asks for params; numbers left out are
// zero.
func parseOrder(query string) (order, error) {
	q, err := url.ParseQuery(query)
	if err != nil {
		return order{}, err
	}
	n, errN := number(q, "n", 63)
	ms, errMS := number(q, "ms", 32)
	code, errCode := number(q, "code", 32)
	o := order{
		do:   q.Get("do"),
		n:    int64(n),
		wait: time.Duration(ms) * time.Millisecond,
		code: uint32(code),
		to:   q.Get("to"),
		text: q.Get("text"),
		when: q.Get("when"),
	}
	if o.do == "" {
		o.do = "params"
	}
	return o, errors.Join(errN, errMS, errCode, o.check())
}

// number returns the value of a name as a number of so many bits.
func number(q url.Values, name string, bits int) (uint64, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseUint(q.Get(name), 10, bits)
	if err != nil {
		return 0, fmt.Errorf("%s is not a number from 0 to %d: %q", name, uint64(1)<<bits-1, q.Get(name))
	}
	return n, nil
}

// check returns what is wrong with an order.
func (o order) check() error {
	switch {
	case o.do == "panic" && o.when != "before" && o.when != "after":
		return fmt.Errorf("when is neither before nor after: %q", o.when)
	case o.do == "status" && (o.code < 200 || o.code > 999):
		return fmt.Errorf("code is not the status of a response: %d", o.code)
	case o.do == "redirect":
		return fastcgi.SendRedirect(nowhere{}, o.to)
	}
	return nil
}

// nowhere is where a redirect goes that is only tried.
type nowhere struct{ fastcgi.ResponseWriter }

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// unknown is the error of an order for what is no task.
func (o order) unknown() error { return fmt.Errorf("do is none of the probe's tasks: %q", o.do) }
