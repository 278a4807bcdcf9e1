package protocol

import "encoding/binary"

const (
	beginRequestLen = 8
	endRequestLen   = 8
	unknownTypeLen  = 8
)

// FlagKeepConn asks the application to leave the connection open after the
// request (§5.1, FCGI_KEEP_CONN). The other bits are reserved and ignored.
const FlagKeepConn uint8 = 1

// A BeginRequest is the content of BEGIN_REQUEST (§5.1):
//
//	 0        1        2       3 ... 7
//	+-----------------+-------+----------+
//	|       role      | flags | reserved |
//	+-----------------+-------+----------+
type BeginRequest struct {
	Role  Role
	Flags uint8 // FlagKeepConn
}

// KeepConn reports whether the connection stays open after the request.
func (b BeginRequest) KeepConn() bool { return b.Flags&FlagKeepConn != 0 }

// ParseBeginRequest decodes the content of a BEGIN_REQUEST record. A content
// of another length than eight bytes is an error.
func ParseBeginRequest(b []byte) (BeginRequest, error) {
	if len(b) != beginRequestLen {
		return BeginRequest{}, connError(TypeBeginRequest, 0, "5.1", ErrContentLength)
	}
	return BeginRequest{Role: Role(binary.BigEndian.Uint16(b)), Flags: b[2]}, nil
}

// AppendBeginRequest appends a BEGIN_REQUEST record to dst.
func AppendBeginRequest(dst []byte, id uint16, b BeginRequest) []byte {
	dst = AppendHeader(dst, Header{Type: TypeBeginRequest, RequestID: id, ContentLength: beginRequestLen})
	return append(dst, byte(b.Role>>8), byte(b.Role), b.Flags, 0, 0, 0, 0, 0)
}

// An EndRequest is the content of END_REQUEST (§5.5):
//
//	 0       1       2       3       4                5 ... 7
//	+-------------------------------+----------------+----------+
//	|           appStatus           | protocolStatus | reserved |
//	+-------------------------------+----------------+----------+
//
// AppStatus is what a CGI program would have exited with.
type EndRequest struct {
	AppStatus uint32
	Status    Status
}

// ParseEndRequest decodes the content of an END_REQUEST record. A content of
// another length than eight bytes is an error.
func ParseEndRequest(b []byte) (EndRequest, error) {
	if len(b) != endRequestLen {
		return EndRequest{}, connError(TypeEndRequest, 0, "5.5", ErrContentLength)
	}
	return EndRequest{AppStatus: binary.BigEndian.Uint32(b), Status: Status(b[4])}, nil
}

// AppendEndRequest appends an END_REQUEST record to dst.
func AppendEndRequest(dst []byte, id uint16, e EndRequest) []byte {
	dst = AppendHeader(dst, Header{Type: TypeEndRequest, RequestID: id, ContentLength: endRequestLen})
	dst = binary.BigEndian.AppendUint32(dst, e.AppStatus)
	return append(dst, byte(e.Status), 0, 0, 0)
}

// AppendUnknownType appends the UNKNOWN_TYPE record that answers a management
// record of a type t that the application does not know (§4.2).
func AppendUnknownType(dst []byte, t RecordType) []byte {
	dst = AppendHeader(dst, Header{Type: TypeUnknownType, ContentLength: unknownTypeLen})
	return append(dst, byte(t), 0, 0, 0, 0, 0, 0, 0)
}
