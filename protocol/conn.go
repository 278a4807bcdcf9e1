package protocol

import "bytes"

// An End is one of the two ends of a connection.
type End uint8

const (
	Application End = iota // takes requests
	WebServer              // sends them: a web server, a gateway, a client
)

// The defaults of [Config].
const (
	DefaultMaxRequests = 100
	DefaultMaxParams   = 64 << 10
	DefaultMaxPairs    = 1000
)

// A Config says what an application's end accepts. The zero value takes every
// role and has the limits above; a web server's end uses none of it. It is
// only read, so many connections may share one.
type Config struct {
	// Roles are the roles that the application serves. Requests for another
	// are answered UNKNOWN_ROLE. Nil means all three.
	Roles []Role
	// MaxRequests is how many requests may be active on the connection.
	// Those beyond are answered OVERLOADED, or CANT_MPX_CONN where the limit
	// is 1. Zero means DefaultMaxRequests; below zero, none is accepted.
	MaxRequests int
	// MaxParams is how many bytes of PARAMS a request may have, encoded. Zero
	// means DefaultMaxParams.
	MaxParams int
	// MaxPairs is how many parameters a request may have. Zero means
	// DefaultMaxPairs.
	MaxPairs int
	// Values are the variables told on GET_VALUES, at most MaxValues.
	Values []Value
}

// An Event is what a record, or a piece of one, means. Which fields are set
// depends on Type, which is the record's; a zero Type is no event.
//
//	BEGIN_REQUEST      Role, KeepConn
//	PARAMS, STDIN, DATA, STDOUT, STDERR
//	                   Data, a piece of the stream; or End, its end
//	ABORT_REQUEST      End: it came before the parameters were complete, so
//	                   END_REQUEST is among the replies and the request is over
//	END_REQUEST        AppStatus, Status; End: the request had been sent whole
//	GET_VALUES_RESULT  Name and Data, its value; End: the last one. Name is nil
//	                   if the record is empty or the pair too long to keep
//	UNKNOWN_TYPE       Unknown
type Event struct {
	Type      RecordType
	RequestID uint16
	Role      Role
	KeepConn  bool
	End       bool
	Status    Status
	Unknown   RecordType
	AppStatus uint32
	Data      []byte // aliases the input of Next; beside a Name, valid as long as that
	Name      []byte // valid until the next call of Next
	User      any    // what Attach gave the request
}

// A Conn follows one connection from one of its ends. It is fed the bytes that
// arrive with Next and asked for the bytes to send with the other methods, each
// of which appends to the slice that it is given.
//
// A Conn does no I/O and allocates nothing for a record: only the first
// requests, replies and variables find no room yet. It keeps about a hundred
// bytes for each active request. It is not safe for concurrent use.
type Conn struct {
	end      End
	config   *Config
	requests requests
	replies  []byte
	closing  bool // a request without FCGI_KEEP_CONN was seen
	err      error

	// The record in progress.
	at     recordPart
	action action
	header Header
	left   int // bytes of content still to come
	pad    int // bytes of padding still to come
	have   int // bytes in buf
	buf    [HeaderLen]byte
	values *valuesReader // made by the first management record that needs it
}

// A recordPart is the part of a record that the next byte belongs to.
type recordPart uint8

const (
	inHeader recordPart = iota
	inContent
	inPadding
)

// An action is what becomes of a record's content.
type action uint8

const (
	actSkip         action = iota
	actStream              // hand it on in pieces
	actBody                // collect its eight bytes
	actAbort               // ABORT_REQUEST, whose content has no meaning
	actGetValues           // collect the names, then answer
	actValuesResult        // hand on pair after pair
	actUnknownType         // answer that the type is unknown
)

// NewConn returns a Conn for one end of a new connection. A nil config is the
// zero Config.
func NewConn(end End, config *Config) *Conn {
	c := new(Conn)
	c.Reset(end, config)
	return c
}

// Reset makes c what NewConn returns, for another connection. It keeps what
// little memory the next one is likely to need, and nothing of the content.
func (c *Conn) Reset(end End, config *Config) {
	if config == nil {
		config = &Config{}
	}
	c.requests.clear()
	*c = Conn{end: end, config: config, requests: c.requests, replies: emptied(c.replies), values: c.values}
}

// Active returns how many requests are active: begun and not ended.
func (c *Conn) Active() int { return len(c.requests.list) }

// Done reports whether the connection is to be closed by the application: a
// request did not ask to keep it (§5.1) and none is active any more.
func (c *Conn) Done() bool { return c.closing && len(c.requests.list) == 0 }

// KeepConn reports whether all requests so far asked to keep the connection.
func (c *Conn) KeepConn() bool { return !c.closing }

// Idle reports whether the connection is between two records, so that the end
// of the input here cuts nothing off.
func (c *Conn) Idle() bool {
	return c.have == 0 && (c.at == inHeader || c.at == inPadding && c.pad == 0)
}

// Complete reports whether the web server has sent an active request to its
// last record. If an application ends the request before, more of it may still
// be on its way.
func (c *Conn) Complete(id uint16) bool {
	q := c.requests.find(id)
	return q != nil && q.in == phaseComplete
}

// Attach ties v to an active request; its events then carry v. It reports
// whether the request is active.
func (c *Conn) Attach(id uint16, v any) bool {
	q := c.requests.find(id)
	if q != nil {
		q.user = v
	}
	return q != nil
}

// TakeReplies appends to dst what the protocol itself has to answer to the
// input so far, and forgets it. Replies are at most twice the size of the input
// that asked for them, not counting the values that a GET_VALUES asked for,
// which are told once for each record; send them before reading on, and memory
// stays bounded.
func (c *Conn) TakeReplies(dst []byte) []byte {
	dst = append(dst, c.replies...)
	c.replies = emptied(c.replies)
	return dst
}

// keptReplies is the capacity that is kept for the next replies. More, which a
// flood of questions asked for, is given back.
const keptReplies = 1024

func emptied(replies []byte) []byte {
	if cap(replies) > keptReplies {
		return nil
	}
	return replies[:0]
}

// HasReplies reports whether TakeReplies would append anything.
func (c *Conn) HasReplies() bool { return len(c.replies) > 0 }

// Next reads p up to the next event and returns it with the rest of p. An
// event with a zero Type means that p is used up; feed what arrives next.
//
// The error is always an *Error. With [ScopeRequest] the request of the event
// broke a limit or a rule: its further input will be ignored, and the caller
// answers and ends it. With [ScopeConnection] nothing more is to be read, and
// each further call returns the same error.
func (c *Conn) Next(p []byte) (ev Event, rest []byte, err error) {
	if c.err != nil {
		return Event{}, nil, c.err
	}
	for {
		if c.at == inHeader {
			var whole bool
			if p, whole, err = c.readHeader(p); err != nil {
				return Event{}, nil, c.fail(err)
			}
			if !whole {
				return Event{}, nil, nil
			}
		}
		if c.at == inContent {
			ev, p, err = c.readContent(p)
			if err != nil && err.(*Error).Scope == ScopeConnection {
				return Event{}, nil, c.fail(err)
			}
			if ev.Type != 0 || err != nil || c.at == inContent {
				return ev, p, err
			}
		}
		n := min(c.pad, len(p))
		c.pad -= n
		p = p[n:]
		if c.pad > 0 {
			return Event{}, nil, nil
		}
		c.at = inHeader
	}
}

func (c *Conn) fail(err error) error {
	c.err = err
	return err
}

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
		if c.have += n; c.have < HeaderLen {
			return nil, false, nil
		}
		c.header = ParseHeader(c.buf[:])
	}
	c.have = 0
	c.left, c.pad = int(c.header.ContentLength), int(c.header.PaddingLength)
	c.at = inContent
	c.action, err = c.dispose(c.header)
	return p, true, err
}

// dispose decides what becomes of the record that h starts.
func (c *Conn) dispose(h Header) (action, error) {
	if h.RequestID == ManagementID {
		return c.disposeManagement(h)
	}
	switch c.end {
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
		if c.end == Application {
			return 0, connError(h.Type, h.RequestID, "3.3", ErrNullID)
		}
	case TypeEndRequest, TypeStdout, TypeStderr:
		if c.end == WebServer {
			return 0, connError(h.Type, h.RequestID, "3.3", ErrNullID)
		}
	case TypeGetValues:
		if c.end == Application {
			c.startValues()
			return actGetValues, nil
		}
	case TypeGetValuesResult:
		if c.end == WebServer {
			c.startValues()
			return actValuesResult, nil
		}
	case TypeUnknownType:
		if c.end == WebServer {
			if h.ContentLength < 1 {
				return 0, connError(h.Type, h.RequestID, "4.2", ErrContentLength)
			}
			return actBody, nil
		}
	case TypeAbortRequest, TypeParams, TypeStdin, TypeData:
	default:
		if c.end == Application {
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

// readContent takes what p has of the content, up to an event.
func (c *Conn) readContent(p []byte) (ev Event, rest []byte, err error) {
	if len(p) == 0 && c.left > 0 {
		return Event{}, nil, nil
	}
	n := min(c.left, len(p))
	if c.action == actValuesResult {
		return c.valuesResult(p[:n], p[n:])
	}
	piece := p[:n:n]
	c.took(n)
	switch c.action {
	case actStream:
		ev, err = c.stream(piece)
	case actBody:
		c.have += copy(c.buf[c.have:], piece)
		if c.at != inContent {
			c.have = 0
			ev, err = c.body()
		}
	case actAbort:
		if c.at != inContent {
			ev = c.abort()
		}
	case actGetValues:
		err = c.getValues(piece)
	case actUnknownType:
		if c.at != inContent {
			c.replies = AppendUnknownType(c.replies, c.header.Type)
		}
	}
	return ev, p[n:], err
}

// took counts n bytes of content and moves on to the padding after the last.
func (c *Conn) took(n int) {
	if c.left -= n; c.left == 0 {
		c.at = inPadding
	}
}

// body acts on the fixed content of BEGIN_REQUEST, END_REQUEST or UNKNOWN_TYPE.
func (c *Conn) body() (Event, error) {
	switch c.header.Type {
	case TypeBeginRequest:
		return c.begin()
	case TypeEndRequest:
		return c.ended(), nil
	}
	return Event{Type: TypeUnknownType, Unknown: RecordType(c.buf[0])}, nil
}

// begin takes or refuses a new request.
func (c *Conn) begin() (Event, error) {
	id := c.header.RequestID
	if q := c.requests.find(id); q != nil && requestTable[q.in][sigBegin].do == reject {
		return Event{}, connError(TypeBeginRequest, id, "5.1", ErrActiveID)
	}
	// The length was checked with the header.
	b, _ := ParseBeginRequest(c.buf[:beginRequestLen])
	if !b.KeepConn() {
		c.closing = true
	}
	if status := c.refusal(b.Role); status != StatusRequestComplete {
		c.replies = AppendEndRequest(c.replies, id, EndRequest{Status: status})
		return Event{}, nil
	}
	c.requests.add(request{id: id, role: b.Role, in: afterBegin[b.Role]})
	return Event{Type: TypeBeginRequest, RequestID: id, Role: b.Role, KeepConn: b.KeepConn()}, nil
}

// refusal returns the status to refuse a request with, or
// StatusRequestComplete to take it.
func (c *Conn) refusal(role Role) Status {
	if !c.serves(role) {
		return StatusUnknownRole
	}
	limit := orDefault(c.config.MaxRequests, DefaultMaxRequests)
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

func orDefault(n, def int) int {
	if n == 0 {
		return def
	}
	return n
}

// stream acts on a piece of a stream record, or on the empty one.
func (c *Conn) stream(piece []byte) (Event, error) {
	t, id := c.header.Type, c.header.RequestID
	q := c.requests.find(id)
	if q == nil || !q.step(t, len(piece) == 0) {
		return Event{}, nil
	}
	ev := Event{Type: t, RequestID: id, User: q.user, Data: piece, End: len(piece) == 0}
	if t != TypeParams {
		return ev, nil
	}
	err := q.checkParams(piece, c.config)
	if err != nil {
		ev.Data, ev.End = nil, false
		return ev, err
	}
	return ev, nil
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

// checkParams follows a piece of PARAMS: its pairs must be whole at the end,
// free of NUL, and within the limits. An announced length counts at once, so
// nobody waits for two gigabytes in order to refuse them.
func (q *request) checkParams(piece []byte, config *Config) error {
	if len(piece) == 0 {
		if !q.pairs.between() {
			return connError(TypeParams, q.id, "3.4", ErrTruncatedPair)
		}
		return nil
	}
	q.paramLen += len(piece)
	for b := piece; ; {
		tok, text, rest := q.pairs.next(b)
		switch tok {
		case tokenMore:
			if q.paramLen > orDefault(config.MaxParams, DefaultMaxParams) {
				// By the lengths of a pair alone: the rest of it was counted
				// when they were complete.
				return q.giveUp("", ErrParamsTooLarge)
			}
			return nil
		case tokenLengths:
			if err := q.checkLengths(len(rest), config); err != nil {
				return err
			}
		default:
			if bytes.IndexByte(text, 0) >= 0 {
				// The values end up in environments and C strings, where what
				// follows the NUL would be cut off and not looked at (§6.1).
				return q.giveUp("6.1", ErrNUL)
			}
		}
		b = rest
	}
}

// checkLengths counts a pair whose lengths have just been read, with unread
// bytes of the piece to follow. Its order is that of the bytes at fault, so that
// the cause does not depend on how they are cut into chunks.
func (q *request) checkLengths(unread int, config *Config) error {
	already := uint64(q.paramLen - unread)
	limit := uint64(orDefault(config.MaxParams, DefaultMaxParams))
	switch {
	case already+uint64(q.pairs.name)+uint64(q.pairs.value) > limit:
		return q.giveUp("", ErrParamsTooLarge)
	case q.pairs.pairs > orDefault(config.MaxPairs, DefaultMaxPairs):
		return q.giveUp("", ErrTooManyPairs)
	}
	return nil
}

// giveUp ignores the further input of a request that passed a limit.
func (q *request) giveUp(section string, cause error) error {
	q.in = phaseAborted
	return requestError(TypeParams, q.id, section, cause)
}

// abort acts on ABORT_REQUEST.
func (c *Conn) abort() Event {
	id := c.header.RequestID
	q := c.requests.find(id)
	if q == nil {
		return Event{}
	}
	s := requestTable[q.in][sigAbort]
	if s.do != accept {
		return Event{}
	}
	ev := Event{Type: TypeAbortRequest, RequestID: id, User: q.user, End: q.in.beforeStart()}
	q.in = s.next
	if ev.End {
		// Nothing has run that could answer, so the protocol does.
		c.replies = AppendEndRequest(c.replies, id, EndRequest{})
		c.requests.remove(id)
	}
	return ev
}

// ended acts on END_REQUEST.
func (c *Conn) ended() Event {
	id := c.header.RequestID
	q := c.requests.find(id)
	if q == nil || responseTable[q.out][sigEnd].do != accept {
		return Event{}
	}
	// The length was checked with the header.
	e, _ := ParseEndRequest(c.buf[:endRequestLen])
	ev := Event{
		Type: TypeEndRequest, RequestID: id, User: q.user,
		AppStatus: e.AppStatus, Status: e.Status, End: q.in.inputComplete(),
	}
	c.requests.remove(id)
	return ev
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
func (c *Conn) valuesResult(piece, after []byte) (Event, []byte, error) {
	if len(piece) == 0 {
		c.took(0)
		return Event{Type: TypeGetValuesResult, End: true}, after, nil
	}
	rest, done := c.values.next(piece)
	c.took(len(piece) - len(rest))
	last := c.at != inContent
	if !done {
		if last {
			return Event{}, nil, connError(TypeGetValuesResult, 0, "3.4", ErrTruncatedPair)
		}
		return Event{}, nil, nil
	}
	ev := Event{Type: TypeGetValuesResult, End: last}
	if name, value, ok := c.values.pair(); ok {
		ev.Name, ev.Data = name, value
	}
	// rest is a part of the same input as after.
	return ev, piece[len(piece)-len(rest):][:len(rest)+len(after)], nil
}
