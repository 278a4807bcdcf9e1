package protocol

import "math"

// body acts on the fixed content of BEGIN_REQUEST, END_REQUEST or UNKNOWN_TYPE.
func (c *Conn) body(ev *Event) error {
	switch c.header.Type {
	case TypeBeginRequest:
		return c.begin(ev)
	case TypeEndRequest:
		c.ended(ev)
	default:
		*ev = Event{Type: TypeUnknownType, Unknown: RecordType(c.buf[0])}
	}
	return nil
}

// begin takes or refuses a new request.
func (c *Conn) begin(ev *Event) error {
	id := c.header.RequestID
	if q := c.requests.find(id); q != nil && requestTable[q.in][sigBegin].do == reject {
		return connError(TypeBeginRequest, id, "5.1", ErrActiveID)
	}
	// The length was checked with the header.
	b, _ := ParseBeginRequest(c.buf[:beginRequestLen])
	if !b.KeepConn() {
		c.closing = true
	}
	if status := c.refusal(b.Role); status != StatusRequestComplete {
		c.refused, c.refusedAs = c.refused+1, status
		c.replies = AppendEndRequest(c.replies, id, EndRequest{Status: status})
		return nil
	}
	c.requests.add(request{id: id, role: b.Role, in: afterBegin[b.Role]})
	ev.Type, ev.RequestID, ev.Role, ev.KeepConn = TypeBeginRequest, id, b.Role, b.KeepConn()
	return nil
}

// refusal returns the status to refuse a request with, or
// StatusRequestComplete to take it.
func (c *Conn) refusal(role Role) Status {
	if !c.serves(role) {
		return StatusUnknownRole
	}
	limit := limitOf(c.config.MaxRequests, DefaultMaxRequests)
	switch {
	case len(c.requests.list) < limit:
		return StatusRequestComplete
	case limit == 1:
		return StatusCantMultiplex
	}
	return StatusOverloaded
}

func (c *Conn) serves(role Role) bool {
	if role == 0 || int(role) >= len(afterBegin) {
		return false
	}
	for _, r := range c.config.Roles {
		if r == role {
			return true
		}
	}
	return c.config.Roles == nil
}

// limitOf returns n, or def if it is zero, or more than there can be of anything
// if it is below.
func limitOf(n, def int) int {
	switch {
	case n == 0:
		return def
	case n < 0:
		return math.MaxInt32
	}
	return n
}

// stream acts on a piece of a stream record, or on the empty one.
func (c *Conn) stream(piece []byte, ev *Event) error {
	t, id := c.header.Type, c.header.RequestID
	q := c.requests.find(id)
	if q == nil || !q.step(t, len(piece) == 0) {
		return nil
	}
	ev.Type, ev.RequestID, ev.User = t, id, q.user
	if t == TypeParams {
		if err := q.checkParams(piece, c.config); err != nil {
			return err
		}
	}
	ev.Data, ev.End = piece, len(piece) == 0
	return nil
}

// step moves a request along its table for a stream record, and reports
// whether the record is to be taken. The record's type tells the direction.
func (q *request) step(t RecordType, empty bool) bool {
	if sig, ok := requestSignal(t, empty); ok {
		s := requestTable[q.in][sig]
		if s.do == accept {
			q.in = s.next
		}
		return s.do == accept
	}
	sig, _ := responseSignal(t, empty)
	s := responseTable[q.out][sig]
	if s.do == accept {
		q.out = s.next
	}
	return s.do == accept
}

// abort acts on ABORT_REQUEST.
func (c *Conn) abort(ev *Event) {
	id := c.header.RequestID
	q := c.requests.find(id)
	if q == nil {
		return
	}
	s := requestTable[q.in][sigAbort]
	if s.do != accept {
		return
	}
	*ev = Event{Type: TypeAbortRequest, RequestID: id, User: q.user, End: q.in.beforeStart()}
	q.in = s.next
	if ev.End {
		// Nothing has run that could answer, so the protocol does.
		c.replies = AppendEndRequest(c.replies, id, EndRequest{})
		c.requests.remove(id)
	}
}

// ended acts on END_REQUEST.
func (c *Conn) ended(ev *Event) {
	id := c.header.RequestID
	q := c.requests.find(id)
	if q == nil || responseTable[q.out][sigEnd].do != accept {
		return
	}
	// The length was checked with the header.
	e, _ := ParseEndRequest(c.buf[:endRequestLen])
	*ev = Event{
		Type: TypeEndRequest, RequestID: id, User: q.user,
		AppStatus: e.AppStatus, Status: e.Status, End: q.in.inputComplete(),
	}
	c.requests.remove(id)
}

// getValues reads a piece of GET_VALUES and answers after the last.
func (c *Conn) getValues(piece []byte) error {
	for {
		rest, done := c.values.next(piece)
		if !done {
			break
		}
		c.values.note(c.config.Values)
		piece = rest
	}
	if c.at == inContent {
		return nil
	}
	if !c.values.pairs.between() {
		return connError(TypeGetValues, 0, "3.4", ErrTruncatedPair)
	}
	c.replies = c.values.appendAnswer(c.replies, c.config.Values)
	return nil
}

// valuesResult reads one pair of GET_VALUES_RESULT.
func (c *Conn) valuesResult(piece, after []byte, ev *Event) (left []byte, err error) {
	if len(piece) == 0 {
		c.took(0)
		*ev = Event{Type: TypeGetValuesResult, End: true}
		return after, nil
	}
	rest, done := c.values.next(piece)
	c.took(len(piece) - len(rest))
	last := c.at != inContent
	if !done {
		if last {
			return nil, connError(TypeGetValuesResult, 0, "3.4", ErrTruncatedPair)
		}
		return nil, nil
	}
	*ev = Event{Type: TypeGetValuesResult, End: last}
	if name, value, ok := c.values.pair(); ok {
		ev.Name, ev.Data = name, value
	}
	// rest is a part of the same input as after.
	return piece[len(piece)-len(rest):][:len(rest)+len(after)], nil
}
