package fastcgi

import (
	"slices"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An output is what a request has written and nobody has sent yet: framed
// records, in segments of at most segmentSize. A segment is a request's turn at
// the socket. It is guarded by the connection's mutex.
type output struct {
	segments [][]byte // from the pool; the last one may grow
	taken    int      // how many of segments are gone, at the front
	size     int      // bytes in all segments
	open     int      // where the record starts, in the last segment, that may grow
	openType protocol.RecordType
}

// segmentSize is the most that a request sends before another's turn.
const segmentSize = 64 << 10

// minRecordRoom is the room in a segment below which a record is rather begun
// in the next.
const minRecordRoom = protocol.HeaderLen + 256

// append frames p on stream t. Writes that follow each other share a record.
func (o *output) append(pc *protocol.Conn, t protocol.RecordType, id uint16, p []byte) error {
	for len(p) > 0 {
		if o.openType == t {
			n := o.extend(p)
			p = p[n:]
			if n > 0 {
				continue
			}
		}
		n, err := o.begin(pc, t, id, p)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// extend adds to the open record what fits into it and its segment.
func (o *output) extend(p []byte) int {
	seg := o.last()
	n := min(len(p), segmentSize-len(*seg))
	*seg = pool.Grow(*seg, n)
	at := len(*seg)
	*seg, n = protocol.ExtendRecord(*seg, o.open, p[:n])
	o.size += len(*seg) - at
	return n
}

// begin starts a record with what fits of p.
func (o *output) begin(pc *protocol.Conn, t protocol.RecordType, id uint16, p []byte) (int, error) {
	seg := o.room(minRecordRoom, protocol.HeaderLen+len(p))
	at := len(*seg)
	n := min(len(p), segmentSize-at-protocol.HeaderLen)
	grown, err := pc.Send(*seg, t, id, p[:n])
	if err != nil {
		return 0, err
	}
	*seg = grown
	o.size += len(grown) - at
	o.open, o.openType = at, t
	return n, nil
}

// end frames END_REQUEST with what has to go before it.
func (o *output) end(pc *protocol.Conn, id uint16, e protocol.EndRequest) error {
	const need = 4 * protocol.HeaderLen
	seg := o.room(need, need)
	at := len(*seg)
	grown, err := pc.EndRequest(*seg, id, e)
	if err != nil {
		return err
	}
	*seg = grown
	o.size += len(grown) - at
	o.openType = 0
	return nil
}

// room returns the last segment, with room for want bytes, or as many as a
// segment takes. If it could not have need bytes it is a new one.
func (o *output) room(need, want int) *[]byte {
	if o.empty() || segmentSize-len(*o.last()) < need {
		if o.taken > len(o.segments)/2 {
			// A writer that is never caught up with must not grow the list.
			o.segments, o.taken = slices.Delete(o.segments, 0, o.taken), 0
		}
		o.segments = append(o.segments, pool.Get(min(want, segmentSize)))
		o.openType = 0
	}
	seg := o.last()
	*seg = pool.Grow(*seg, min(want, segmentSize-len(*seg)))
	return seg
}

func (o *output) last() *[]byte { return &o.segments[len(o.segments)-1] }

func (o *output) empty() bool { return o.taken == len(o.segments) }

// first returns the size of the first segment.
func (o *output) first() int { return len(o.segments[o.taken]) }

// take removes the first segment, for the caller to send and give back to the
// pool.
func (o *output) take() []byte {
	seg := o.segments[o.taken]
	o.segments[o.taken] = nil
	o.size -= len(seg)
	if o.taken++; o.empty() {
		o.segments, o.taken = o.segments[:0], 0
		o.openType = 0
	}
	return seg
}

// drop forgets everything.
func (o *output) drop() {
	for !o.empty() {
		pool.Put(o.take())
	}
}
