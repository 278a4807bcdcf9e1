package engine

import "github.com/simple-fastcgi/fastcgi/protocol"

// A Response is the head of a response and what of its body there is already.
type Response struct {
	Head  []byte
	Text  string // the body; what is long is sent without a copy
	Bytes []byte // or this, copied
	Rest  Source // what follows as it comes; nil if nothing does
}

// TryRespond writes a response without waiting, all or nothing of it. If something
// was written to STDOUT before it returns ErrResponded: the look and the write are one
// step, so that of two who race to answer one does. It takes resp.Rest over, also if
// it returns an error.
func (r Ref) TryRespond(resp Response) error {
	err := r.respond(resp)
	if err != nil && resp.Rest != nil {
		resp.Rest.Close()
	}
	return err
}

func (r Ref) respond(resp Response) error {
	x, ok := r.enter()
	defer r.leave()
	if ok && x.taken() {
		return ErrResponded
	}
	if err := x.takesOutput(ok, len(resp.Head)+len(resp.Bytes)); err != nil {
		return err
	}
	if _, err := x.write(protocol.TypeStdout, resp.Head); err != nil {
		return err
	}
	if _, err := x.writeString(resp.Text); err != nil {
		return err
	}
	if _, err := x.write(protocol.TypeStdout, resp.Bytes); err != nil {
		return err
	}
	if resp.Rest != nil {
		x.attach(resp.Rest)
	}
	return nil
}

// taken reports whether a response is on its way: something was written to STDOUT,
// or somebody has claimed it. Where nothing can be written any more there is another
// error to report.
func (x *exchange) taken() bool {
	return !x.state.finished() && x.failed == nil && (x.responded || x.claimed)
}

// Responded reports whether something was written to STDOUT.
func (r Ref) Responded() bool {
	x, ok := r.enter()
	defer r.leave()
	return ok && x.responded
}

// Claim has TryRespond and Respond return ErrResponded from here on, for somebody who
// writes a response by other means. It returns ErrResponded itself if it comes too
// late.
func (r Ref) Claim() error {
	x, ok := r.enter()
	defer r.leave()
	switch {
	case !ok || x.state.finished():
		return ErrFinished
	case x.failed != nil:
		return x.failed
	case x.taken():
		return ErrResponded
	}
	x.claimed = true
	return nil
}

// Disclaim ends a Claim after which nothing was written.
func (r Ref) Disclaim() {
	x, ok := r.enter()
	defer r.leave()
	if ok {
		x.claimed = false
	}
}

// Respond writes the head of a response, and waits as Write does. If something was
// written to STDOUT before it returns ErrResponded, as TryRespond does.
func (c *Call) Respond(head []byte) error {
	_, err := c.write(protocol.TypeStdout, head, true)
	return err
}
