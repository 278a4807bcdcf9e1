package engine

import "github.com/simple-fastcgi/fastcgi/protocol"

// A Response is the head of a response and what of its body there is already.
type Response struct {
	Head  []byte
	Text  string // the body; what is long is sent without a copy
	Bytes []byte // or this, copied
	Rest  Source // what follows as it comes; nil if nothing does
}

// TryRespond writes a response without waiting, all or nothing of it. It takes
// r.Rest over, also if it returns an error.
func (r Ref) TryRespond(resp Response) error {
	err := r.respond(resp)
	if err != nil && resp.Rest != nil {
		resp.Rest.Close()
	}
	return err
}

func (r Ref) respond(resp Response) error {
	x, err := r.enterToWrite()
	defer r.leave()
	if err != nil {
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
