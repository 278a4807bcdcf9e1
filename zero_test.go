package fastcgi_test

import (
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// Values that no server made are like those of a request that is over: no method panics, errors are ErrFinished, and
// everything else is zero, or of no effect.
func TestZeroValues(t *testing.T) {
	for _, tt := range []struct {
		name  string
		value any
		err   error // what every error is
	}{
		{"Request", new(fastcgi.Request), fastcgi.ErrFinished},
		{"Exchange", fastcgi.Exchange{}, fastcgi.ErrFinished},
		{"Params", fastcgi.Params{}, nil},
		// What Send is given is a request that is over.
		{"Decision", fastcgi.Decision{}, fastcgi.ErrFinished},
	} {
		v := reflect.ValueOf(tt.value)
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			t.Run(tt.name+"."+name, func(t *testing.T) {
				for _, result := range v.Method(i).Call(zeroArguments(v.Method(i).Type())) {
					expectNothing(t, tt.name+"."+name, result, tt.err)
				}
			})
		}
	}
}

func TestFromContextOfNothing(t *testing.T) {
	if r := fastcgi.FromContext(context.Background()); r != nil {
		t.Errorf("there is a request: %+v", r)
	}
}

// zeroArguments returns arguments for a method: zero values, but functions that do nothing, and what is to be
// written to: a request that is over, or nothing.
func zeroArguments(method reflect.Type) (args []reflect.Value) {
	for i := range method.NumIn() {
		in := method.In(i)
		switch {
		case in == reflect.TypeFor[fastcgi.ResponseWriter]():
			args = append(args, reflect.ValueOf(fastcgi.Exchange{}))
		case in == reflect.TypeFor[io.Writer]():
			args = append(args, reflect.ValueOf(io.Discard))
		case in.Kind() == reflect.Func:
			args = append(args, noFunc(in))
		default:
			args = append(args, reflect.Zero(in))
		}
	}
	return args
}

// noFunc returns a function that does nothing.
func noFunc(of reflect.Type) reflect.Value {
	return reflect.MakeFunc(of, func([]reflect.Value) (results []reflect.Value) {
		for i := range of.NumOut() {
			results = append(results, reflect.Zero(of.Out(i)))
		}
		return results
	})
}

// expectNothing holds a result to being that of a request that is over.
func expectNothing(t *testing.T, method string, result reflect.Value, wantErr error) {
	t.Helper()
	switch got := result.Interface().(type) {
	case nil:
		if wantErr != nil && result.Type() == reflect.TypeFor[error]() {
			t.Error("there is no error")
		}
	case error:
		if !errors.Is(got, wantErr) {
			t.Errorf("the error is %v", got)
		}
	case context.Context:
		if cause := context.Cause(got); !errors.Is(cause, fastcgi.ErrFinished) {
			t.Errorf("the context ended with %v", cause)
		}
	case io.Reader:
		if n, err := got.Read(make([]byte, 1)); n != 0 || !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Read returned %d, %v", n, err)
		}
		if to, ok := got.(io.WriterTo); ok {
			if n, err := to.WriteTo(io.Discard); n != 0 || !errors.Is(err, fastcgi.ErrFinished) {
				t.Errorf("WriteTo returned %d, %v", n, err)
			}
		}
	case io.Writer:
		if n, err := got.Write([]byte("x")); n != 0 || !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("Write returned %d, %v", n, err)
		}
	case fastcgi.Loop:
		got.Post(func() { t.Error("there is a loop") })
		got.AfterFunc(time.Hour, func() {})()
	case bool:
		if got != strings.HasSuffix(method, ".Aborted") {
			t.Errorf("it is %v", got)
		}
	case []byte:
		if string(got) != "{}" { // MarshalJSON
			t.Errorf("it is %q", got)
		}
	case map[string]string:
		if got == nil || len(got) > 0 {
			t.Errorf("it is %#v", got)
		}
	default:
		if result.Kind() == reflect.Func { // a sequence
			result.Call([]reflect.Value{reflect.MakeFunc(result.Type().In(0), func([]reflect.Value) []reflect.Value {
				t.Error("it yields something")
				return []reflect.Value{reflect.ValueOf(false)}
			})})
			return
		}
		if !result.IsZero() {
			t.Errorf("it is %#v", got)
		}
	}
}

// The functions that are given a ResponseWriter or an Exchange.
func TestSendingToZeroValues(t *testing.T) {
	for name, err := range map[string]error{
		"SendResponse":             fastcgi.SendResponse(fastcgi.Exchange{}, 200, "text/plain", "data"),
		"SendResponse of much":     fastcgi.SendResponse(fastcgi.Exchange{}, 200, "text/plain", strings.Repeat("data", 100_000)),
		"SendResponse of a stream": fastcgi.SendResponse(fastcgi.Exchange{}, 200, "text/plain", strings.NewReader("data")),
		"SendRedirect":             fastcgi.SendRedirect(fastcgi.Exchange{}, "/"),
	} {
		if !errors.Is(err, fastcgi.ErrFinished) {
			t.Errorf("%s returned %v", name, err)
		}
	}
	var called error
	fastcgi.Exchange{}.ReadAll(10, func(_ []byte, err error) { called = err })
	if called != nil && !errors.Is(called, fastcgi.ErrFinished) {
		t.Errorf("ReadAll is told %v", called)
	}
	fastcgi.Async(hello).ServeAsync(fastcgi.Exchange{})
	io.Copy(io.Discard, new(fastcgi.Request))
}
