package protocol

// A Side is one of the two ends of a connection.
type Side uint8

const (
	Application Side = iota // takes requests
	WebServer               // sends them: a web server, a gateway, a client
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
//
// In every number here, zero means the default, and below zero means no limit.
type Config struct {
	// Roles are the roles that the application serves. Requests for another
	// are answered UNKNOWN_ROLE. Nil means all three.
	Roles []Role
	// MaxRequests is how many requests may be active on the connection.
	// Those beyond are answered OVERLOADED, or CANT_MPX_CONN where the limit
	// is 1. The default is 100. To accept none, serve no role.
	MaxRequests int
	// MaxParams is how many bytes of PARAMS a request may have, encoded. The
	// default is 64 KiB.
	MaxParams int
	// MaxPairs is how many parameters a request may have. The default is 1,000.
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
	config    *Config
	requests  requests
	replies   []byte
	err       error
	refused   int
	refusedAs Status // the last one
	side      Side
	closing   bool // a request without FCGI_KEEP_CONN was seen

	// The record in progress.
	at     recordPart
	action action
	pad    uint8 // bytes of padding still to come
	have   uint8 // bytes in buf
	left   int32 // bytes of content still to come
	header Header
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

// NewConn returns a Conn for one side of a new connection. A nil config is the
// zero Config.
func NewConn(side Side, config *Config) *Conn {
	c := new(Conn)
	c.Reset(side, config)
	return c
}

// Reset makes c what NewConn returns, for another connection. It keeps what
// little memory the next one is likely to need, and nothing of the content.
func (c *Conn) Reset(side Side, config *Config) {
	if config == nil {
		config = &Config{}
	}
	c.requests.clear()
	*c = Conn{side: side, config: config, requests: c.requests, replies: emptied(c.replies), values: c.values}
}

// Active returns how many requests are active: begun and not ended.
func (c *Conn) Active() int { return len(c.requests.list) }

// Refused returns how many requests were refused as they were begun, of which
// there is no event, and the status that the last one was refused with (§5.5).
func (c *Conn) Refused() (n int, last Status) { return c.refused, c.refusedAs }

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
			p, err = c.readContent(p, &ev)
			if err != nil && err.(*Error).Scope == ScopeConnection {
				return Event{}, nil, c.fail(err)
			}
			if ev.Type != 0 || err != nil || c.at == inContent {
				return ev, p, err
			}
		}
		n := min(int(c.pad), len(p))
		c.pad -= uint8(n)
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
