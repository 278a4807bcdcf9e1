package main

import (
	"errors"
	"fmt"
	"io"
)

// A failure is an error for the person at the terminal.
type failure struct {
	code   int    // the exit code
	what   string // what went wrong, in words that need no knowledge of the code
	remedy string // what to do about it: whole sentences, or a command; may be empty
	err    error  // the cause, for errors.Is; may be nil
}

func (f *failure) Error() string {
	if f.remedy == "" {
		return f.what
	}
	return f.what + ". " + f.remedy
}

func (f *failure) Unwrap() error { return f.err }

// failed is a failure that the arguments are not to blame for.
func failed(err error, what, remedy string) error {
	return &failure{code: exitFailed, what: what, remedy: remedy, err: err}
}

// misused is a failure that the arguments are to blame for.
func misused(what, remedy string) error {
	return &failure{code: exitUsage, what: what, remedy: remedy}
}

// report writes an error and returns the exit code that goes with it.
func report(w io.Writer, err error) int {
	paint := paintFor(w)
	f := &failure{code: exitFailed, what: err.Error()}
	errors.As(err, &f)
	fmt.Fprintf(w, "%s %s\n", paint.bad("fcgi:"), printable(f.what))
	if f.remedy != "" {
		fmt.Fprintf(w, "      %s\n", printable(f.remedy))
	}
	return f.code
}
