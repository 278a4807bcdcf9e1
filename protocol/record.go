package protocol

import (
	"encoding/binary"
	"strconv"
)

// Version is the protocol version that every record carries (§3.3,
// FCGI_VERSION_1).
const Version = 1

const (
	// HeaderLen is the size of a record's header in bytes (§3.3).
	HeaderLen = 8
	// MaxContentLen is the largest content of one record in bytes (§3.3).
	MaxContentLen = 65535
	// MaxPaddingLen is the largest padding of one record in bytes (§3.3).
	MaxPaddingLen = 255
	// ManagementID is the request id of management records (§3.3,
	// FCGI_NULL_REQUEST_ID).
	ManagementID = 0
)

// A RecordType says what a record carries (§8).
type RecordType uint8

// The types of records. Those up to TypeData belong to one request; the rest
// are management records and travel under [ManagementID].
const (
	TypeBeginRequest    RecordType = 1  // web server to application, §5.1
	TypeAbortRequest    RecordType = 2  // web server to application, §5.4
	TypeEndRequest      RecordType = 3  // application to web server, §5.5
	TypeParams          RecordType = 4  // stream, web server to application, §5.2
	TypeStdin           RecordType = 5  // stream, web server to application, §5.3
	TypeStdout          RecordType = 6  // stream, application to web server, §5.3
	TypeStderr          RecordType = 7  // stream, application to web server, §5.3
	TypeData            RecordType = 8  // stream, web server to application, §5.3
	TypeGetValues       RecordType = 9  // management, web server to application, §4.1
	TypeGetValuesResult RecordType = 10 // management, application to web server, §4.1
	TypeUnknownType     RecordType = 11 // management, application to web server, §4.2
)

var recordTypeNames = [...]string{
	TypeBeginRequest:    "BEGIN_REQUEST",
	TypeAbortRequest:    "ABORT_REQUEST",
	TypeEndRequest:      "END_REQUEST",
	TypeParams:          "PARAMS",
	TypeStdin:           "STDIN",
	TypeStdout:          "STDOUT",
	TypeStderr:          "STDERR",
	TypeData:            "DATA",
	TypeGetValues:       "GET_VALUES",
	TypeGetValuesResult: "GET_VALUES_RESULT",
	TypeUnknownType:     "UNKNOWN_TYPE",
}

// String returns the specification's name without its FCGI_ prefix, or
// "RecordType(42)" for a type that it does not define.
func (t RecordType) String() string {
	return nameOf(recordTypeNames[:], int(t), "RecordType")
}

// A Role is what a web server asks an application to be (§6).
type Role uint16

// The roles.
const (
	RoleResponder  Role = 1 // answers an HTTP request, §6.2
	RoleAuthorizer Role = 2 // allows or denies an HTTP request, §6.3
	RoleFilter     Role = 3 // answers with a file's data, changed, §6.4
)

var roleNames = [...]string{
	RoleResponder:  "RESPONDER",
	RoleAuthorizer: "AUTHORIZER",
	RoleFilter:     "FILTER",
}

// String returns the specification's name without its FCGI_ prefix, or
// "Role(42)" for a role that it does not define.
func (r Role) String() string { return nameOf(roleNames[:], int(r), "Role") }

// A Status is how the protocol, as opposed to the application, ended a
// request (§5.5, protocolStatus).
type Status uint8

// The protocol statuses.
const (
	StatusRequestComplete Status = 0 // the normal end
	StatusCantMultiplex   Status = 1 // one request at a time on a connection (FCGI_CANT_MPX_CONN)
	StatusOverloaded      Status = 2 // out of some resource
	StatusUnknownRole     Status = 3 // the application does not serve the role
)

var statusNames = [...]string{
	StatusRequestComplete: "REQUEST_COMPLETE",
	StatusCantMultiplex:   "CANT_MPX_CONN",
	StatusOverloaded:      "OVERLOADED",
	StatusUnknownRole:     "UNKNOWN_ROLE",
}

// String returns the specification's name without its FCGI_ prefix, or
// "Status(42)" for a status that it does not define.
func (s Status) String() string { return nameOf(statusNames[:], int(s), "Status") }

func nameOf(names []string, n int, kind string) string {
	if n < len(names) && names[n] != "" {
		return names[n]
	}
	return kind + "(" + strconv.Itoa(n) + ")"
}

// A Header starts every record (§3.3):
//
//	 0         1       2         3         4         5         6         7
//	+---------+-------+---------+---------+---------+---------+---------+----------+
//	| version | type  |     requestId     |   contentLength   | padding | reserved |
//	+---------+-------+---------+---------+---------+---------+---------+----------+
//
// It is followed by contentLength bytes of content and paddingLength bytes to
// skip. The version is always [Version] and the reserved byte always sent as
// zero, so neither is kept.
type Header struct {
	Type          RecordType
	RequestID     uint16
	ContentLength uint16 // bytes
	PaddingLength uint8  // bytes
}

// ParseHeader decodes the HeaderLen bytes at the start of b. It panics if
// there are fewer and does not look at the version, which is b[0].
func ParseHeader(b []byte) Header {
	_ = b[HeaderLen-1]
	return Header{
		Type:          RecordType(b[1]),
		RequestID:     binary.BigEndian.Uint16(b[2:]),
		ContentLength: binary.BigEndian.Uint16(b[4:]),
		PaddingLength: b[6],
	}
}

// AppendHeader appends the encoding of h to dst.
func AppendHeader(dst []byte, h Header) []byte {
	return append(dst, Version, byte(h.Type),
		byte(h.RequestID>>8), byte(h.RequestID),
		byte(h.ContentLength>>8), byte(h.ContentLength),
		h.PaddingLength, 0)
}

// AppendRecord appends one record without padding to dst. Content beyond
// [MaxContentLen] bytes does not fit into a record, and AppendRecord panics;
// [AppendStream] cuts.
func AppendRecord(dst []byte, t RecordType, id uint16, content []byte) []byte {
	if len(content) > MaxContentLen {
		panic("protocol: a record's content is at most 65535 bytes, not " + strconv.Itoa(len(content)))
	}
	dst = AppendHeader(dst, Header{Type: t, RequestID: id, ContentLength: uint16(len(content))})
	return append(dst, content...)
}

// maxStreamContent is the content that a full record of a stream gets: the
// largest multiple of eight, so that the records after it stay aligned as §3.3
// recommends, without padding.
const maxStreamContent = MaxContentLen &^ 7

// AppendStream appends p to dst as records of stream t, as few as possible,
// and none if p is empty: an empty record would end the stream.
func AppendStream(dst []byte, t RecordType, id uint16, p []byte) []byte {
	for len(p) > 0 {
		n := min(len(p), maxStreamContent)
		dst = AppendRecord(dst, t, id, p[:n])
		p = p[n:]
	}
	return dst
}

// AppendStreamEnd appends the empty record that ends stream t (§3.3).
func AppendStreamEnd(dst []byte, t RecordType, id uint16) []byte {
	return AppendHeader(dst, Header{Type: t, RequestID: id})
}

// ExtendRecord lets the last record in dst grow: it appends as much of p as
// still fits to the content of the unpadded record whose header starts at
// dst[at] and which reaches to the end of dst, and returns how much it took.
// Many small writes so become one record.
func ExtendRecord(dst []byte, at int, p []byte) ([]byte, int) {
	have := len(dst) - at - HeaderLen
	n := min(len(p), maxStreamContent-have)
	if n <= 0 {
		return dst, 0
	}
	binary.BigEndian.PutUint16(dst[at+4:], uint16(have+n))
	return append(dst, p[:n]...), n
}
