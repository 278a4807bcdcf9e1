package fakeapp

import "github.com/simple-fastcgi/fastcgi/protocol"

// A partial is a request that has not arrived whole.
type partial struct {
	*Request
	params, stdin, data []byte
}

// Any returns the next request to have arrived whole, though its records may lie between those of others. One that is aborted
// is returned at once, with Aborted set, and so a second time if it had arrived whole. It returns nil once the other side has
// closed. A script that calls it calls neither Begin nor Request.
func (c *Conn) Any() *Request {
	if c.partials == nil {
		c.partials = make(map[uint16]*partial)
	}
	for {
		ev, ok := c.event()
		switch {
		case !ok:
			return nil
		case ev.Type == protocol.TypeBeginRequest:
			c.partials[ev.RequestID] = &partial{Request: c.newRequest(ev)}
			continue
		}
		p := c.partials[ev.RequestID]
		switch {
		case p == nil:
			c.t.Errorf("application: unexpected %v", ev.Type)
			return nil
		case ev.Type == protocol.TypeAbortRequest:
			p.Aborted = true
			return p.Request
		case p.take(ev):
			p.Stdin, p.Data = string(p.stdin), string(p.data)
			return p.Request
		}
	}
}

// take adds a piece of a stream, and reports whether it was the last.
func (p *partial) take(ev protocol.Event) (whole bool) {
	last := protocol.TypeStdin
	switch p.Role {
	case protocol.RoleAuthorizer:
		last = protocol.TypeParams
	case protocol.RoleFilter:
		last = protocol.TypeData
	}
	switch ev.Type {
	case protocol.TypeParams:
		if p.params = append(p.params, ev.Data...); ev.End {
			p.conn.params(p.Request, p.params)
			if p.conn.Begun != nil {
				p.conn.Begun(p.Request)
			}
		}
	case protocol.TypeStdin:
		p.stdin = append(p.stdin, ev.Data...)
	case protocol.TypeData:
		p.data = append(p.data, ev.Data...)
	}
	return ev.End && ev.Type == last
}
