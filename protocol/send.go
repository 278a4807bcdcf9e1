package protocol

// Begin starts a request (§5.1). It is for the web server's end.
func (c *Conn) Begin(dst []byte, id uint16, b BeginRequest) ([]byte, error) {
	switch {
	case c.side != WebServer:
		return dst, requestError(TypeBeginRequest, id, "5.1", ErrWrongSide)
	case id == ManagementID:
		return dst, requestError(TypeBeginRequest, id, "3.3", ErrNullID)
	case c.requests.find(id) != nil:
		return dst, requestError(TypeBeginRequest, id, "5.1", ErrActiveID)
	}
	// A role of the future is sent as it is: it has a responder's streams until
	// the application says UNKNOWN_ROLE.
	phase := phaseResponderParams
	if int(b.Role) < len(afterBegin) && b.Role != 0 {
		phase = afterBegin[b.Role]
	}
	c.requests.add(request{id: id, role: b.Role, in: phase})
	if !b.KeepConn() {
		c.closing = true
	}
	return AppendBeginRequest(dst, id, b), nil
}

// Send appends p to stream t of an active request. An empty p sends nothing.
// It fails if the stream is not this end's to send, or is not open now.
func (c *Conn) Send(dst []byte, t RecordType, id uint16, p []byte) ([]byte, error) {
	if len(p) == 0 {
		return dst, nil
	}
	if err := c.sendContent(t, id); err != nil {
		return dst, err
	}
	return AppendStream(dst, t, id, p), nil
}

// SendHeader appends the header of a record with n bytes of stream t, 1 to
// MaxContentLen, which the caller sends behind it from where they are.
func (c *Conn) SendHeader(dst []byte, t RecordType, id uint16, n int) ([]byte, error) {
	if n < 1 || n > MaxContentLen {
		return dst, requestError(t, id, "3.3", ErrContentLength)
	}
	if err := c.sendContent(t, id); err != nil {
		return dst, err
	}
	return AppendHeader(dst, Header{Type: t, RequestID: id, ContentLength: uint16(n)}), nil
}

// sendContent takes the step that content on a stream means.
func (c *Conn) sendContent(t RecordType, id uint16) error {
	q, err := c.sending(t, id, false)
	if err != nil {
		return err
	}
	q.stderr = q.stderr || t == TypeStderr
	return nil
}

// SendEnd ends stream t of an active request with the empty record (§3.3).
func (c *Conn) SendEnd(dst []byte, t RecordType, id uint16) ([]byte, error) {
	if _, err := c.sending(t, id, true); err != nil {
		return dst, err
	}
	return AppendStreamEnd(dst, t, id), nil
}

// sending takes the step that a stream record means, as its sender.
func (c *Conn) sending(t RecordType, id uint16, end bool) (*request, error) {
	_, ofWebServer := requestSignal(t, end)
	_, ofApplication := responseSignal(t, end)
	if c.side == WebServer && !ofWebServer || c.side == Application && !ofApplication {
		return nil, requestError(t, id, "3.3", ErrWrongSide)
	}
	q := c.requests.find(id)
	if q == nil {
		return nil, requestError(t, id, "3.3", ErrInactiveID)
	}
	if !q.step(t, end) {
		return nil, requestError(t, id, "3.3", ErrUnexpectedState)
	}
	return q, nil
}

// Abort asks the application to give an active request up (§5.4). It still
// ends with END_REQUEST; nothing else is to be sent for it.
func (c *Conn) Abort(dst []byte, id uint16) ([]byte, error) {
	if c.side != WebServer {
		return dst, requestError(TypeAbortRequest, id, "5.4", ErrWrongSide)
	}
	q := c.requests.find(id)
	if q == nil {
		return dst, requestError(TypeAbortRequest, id, "5.4", ErrInactiveID)
	}
	s := requestTable[q.in][sigAbort]
	if s.do != accept {
		return dst, requestError(TypeAbortRequest, id, "5.4", ErrUnexpectedState)
	}
	q.in = s.next
	return AppendHeader(dst, Header{Type: TypeAbortRequest, RequestID: id}), nil
}

// EndRequest ends an active request (§5.5). The ends of STDOUT and, if anything
// was sent on it, of STDERR come first where they are still owed; a request that
// is refused, with another status than StatusRequestComplete, has neither. The
// id may then be used again.
func (c *Conn) EndRequest(dst []byte, id uint16, e EndRequest) ([]byte, error) {
	if c.side != Application {
		return dst, requestError(TypeEndRequest, id, "5.5", ErrWrongSide)
	}
	q := c.requests.find(id)
	if q == nil {
		return dst, requestError(TypeEndRequest, id, "5.5", ErrInactiveID)
	}
	if e.Status == StatusRequestComplete {
		if q.stderr && q.step(TypeStderr, true) {
			dst = AppendStreamEnd(dst, TypeStderr, id)
		}
		if q.step(TypeStdout, true) {
			dst = AppendStreamEnd(dst, TypeStdout, id)
		}
	}
	c.requests.remove(id)
	return AppendEndRequest(dst, id, e), nil
}
