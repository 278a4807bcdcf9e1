package engine

import "github.com/simple-fastcgi/fastcgi/protocol"

// TryWrite appends to STDOUT or STDERR without ever waiting: while more than 64 KiB
// are waiting to be sent, or a stream is, it takes nothing and returns ErrFull.
// What it does take, it takes whole.
func (r Ref) TryWrite(t protocol.RecordType, p []byte) (int, error) {
	x, err := r.enterToWrite(len(p))
	defer r.leave()
	if err != nil {
		return 0, err
	}
	return x.write(t, p)
}

// TryWriteString is TryWrite to STDOUT without a copy of what is long.
func (r Ref) TryWriteString(s string) (int, error) {
	n := len(s)
	if n >= byReference {
		n = 0 // it stays where it is
	}
	x, err := r.enterToWrite(n)
	defer r.leave()
	if err != nil {
		return 0, err
	}
	return x.writeString(s)
}

// enterToWrite is enter, with the reason why a write would not take anything.
func (r Ref) enterToWrite(n int) (*exchange, error) {
	x, ok := r.enter()
	if err := x.takesOutput(ok, n); err != nil {
		return nil, err
	}
	return x, nil
}

// takesOutput returns why a write that does not wait would not take anything. Ok is
// whether x still serves the request.
func (x *exchange) takesOutput(ok bool, n int) error {
	switch {
	case !ok || x.state.finished():
		return ErrFinished
	case x.failed == nil && (x.out.size >= outputLimit || x.async.source != nil):
		x.async.full = true
		return ErrFull
	case x.failed == nil && !x.conn.outputFits(n):
		x.async.full = true
		x.awaitMemory()
		return ErrFull
	}
	return nil
}
