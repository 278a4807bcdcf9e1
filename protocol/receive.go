package protocol

// readHeader takes what p has of a header and, once it is whole, decides what
// becomes of the content.
func (c *Conn) readHeader(p []byte) (rest []byte, whole bool, err error) {
	if c.have == 0 && len(p) > 0 && p[0] != Version {
		// Said at the first byte: a browser or a probe that speaks something
		// else is not kept waiting for eight.
		return nil, false, connError(0, 0, "3.3", ErrVersion)
	}
	if c.have == 0 && len(p) >= HeaderLen {
		c.header = ParseHeader(p)
		p = p[HeaderLen:]
	} else {
		n := copy(c.buf[c.have:], p)
		p = p[n:]
		if c.have += uint8(n); c.have < HeaderLen {
			return nil, false, nil
		}
		c.header = ParseHeader(c.buf[:])
	}
	c.have = 0
	c.left, c.pad = int32(c.header.ContentLength), c.header.PaddingLength
	c.at = inContent
	c.action, err = c.dispose(c.header)
	return p, true, err
}

// dispose decides what becomes of the record that h starts.
func (c *Conn) dispose(h Header) (action, error) {
	if h.RequestID == ManagementID {
		return c.disposeManagement(h)
	}
	switch c.side {
	case Application:
		switch h.Type {
		case TypeBeginRequest:
			if h.ContentLength != beginRequestLen {
				return 0, connError(h.Type, h.RequestID, "5.1", ErrContentLength)
			}
			return actBody, nil
		case TypeAbortRequest:
			return actAbort, nil
		case TypeParams, TypeStdin, TypeData:
			return actStream, nil
		}
	case WebServer:
		switch h.Type {
		case TypeEndRequest:
			// Longer than it should be is skipped, so that the next response
			// on the connection stays aligned; shorter has lost its meaning.
			if h.ContentLength < endRequestLen {
				return 0, connError(h.Type, h.RequestID, "5.5", ErrContentLength)
			}
			return actBody, nil
		case TypeStdout, TypeStderr:
			return actStream, nil
		}
	}
	// A type of the other direction, of management, or of the future (§3.3
	// leaves these open). UNKNOWN_TYPE answers management records only.
	return actSkip, nil
}

// disposeManagement decides what becomes of a record with request id 0.
func (c *Conn) disposeManagement(h Header) (action, error) {
	switch h.Type {
	case TypeBeginRequest:
		if c.side == Application {
			return 0, connError(h.Type, h.RequestID, "3.3", ErrNullID)
		}
	case TypeEndRequest, TypeStdout, TypeStderr:
		if c.side == WebServer {
			return 0, connError(h.Type, h.RequestID, "3.3", ErrNullID)
		}
	case TypeGetValues:
		if c.side == Application {
			c.startValues()
			return actGetValues, nil
		}
	case TypeGetValuesResult:
		if c.side == WebServer {
			c.startValues()
			return actValuesResult, nil
		}
	case TypeUnknownType:
		if c.side == WebServer {
			if h.ContentLength < 1 {
				return 0, connError(h.Type, h.RequestID, "4.2", ErrContentLength)
			}
			return actBody, nil
		}
	case TypeAbortRequest, TypeParams, TypeStdin, TypeData:
	default:
		if c.side == Application {
			return actUnknownType, nil
		}
	}
	// Known, but meaningless here. Answering GET_VALUES_RESULT or UNKNOWN_TYPE
	// with UNKNOWN_TYPE could go to and fro for ever.
	return actSkip, nil
}

func (c *Conn) startValues() {
	if c.values == nil {
		c.values = new(valuesReader)
	}
	*c.values = valuesReader{}
}

// readContent takes what p has of the content, up to an event, which it writes
// to ev. (Events are large: to hand them up by value would cost as much as all
// that is done for a record.)
func (c *Conn) readContent(p []byte, ev *Event) (rest []byte, err error) {
	if len(p) == 0 && c.left > 0 {
		return nil, nil
	}
	n := min(int(c.left), len(p))
	if c.action == actValuesResult {
		return c.valuesResult(p[:n], p[n:], ev)
	}
	piece := p[:n:n]
	c.took(n)
	switch c.action {
	case actStream:
		err = c.stream(piece, ev)
	case actBody:
		c.have += uint8(copy(c.buf[c.have:], piece))
		if c.at != inContent {
			c.have = 0
			err = c.body(ev)
		}
	case actAbort:
		if c.at != inContent {
			c.abort(ev)
		}
	case actGetValues:
		err = c.getValues(piece)
	case actUnknownType:
		if c.at != inContent {
			c.replies = AppendUnknownType(c.replies, c.header.Type)
		}
	}
	return p[n:], err
}

// took counts n bytes of content and moves on to the padding after the last.
func (c *Conn) took(n int) {
	if c.left -= int32(n); c.left == 0 {
		c.at = inPadding
	}
}
