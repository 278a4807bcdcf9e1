package engine

import (
	"slices"
	"sync"

	"github.com/simple-fastcgi/fastcgi/internal/pool"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// An output is what a request has written and nobody has sent yet: framed
// records, in segments of at most segmentSize. A segment is a request's turn at
// the socket. It is guarded by the connection's mutex.
type output struct {
	segments []segment
	taken    int // how many of segments are gone, at the front
	size     int // bytes in all segments
	held     int // bytes of memory that they take: of buffers, not of what lies elsewhere
	open     int // where the record starts, in the last segment, that may grow
	openType protocol.RecordType
}

// A segment is some records. The content of the last one may lie elsewhere.
type segment struct {
	buf  []byte // from the pool
	body []byte // content of the last record, behind its header in buf
	loan *loan  // whose body is; nil if it stays as it is for good

	reply bool // they are the protocol's own, of no request
}

func (s *segment) size() int { return len(s.buf) + len(s.body) }

// drop gives back what the segment holds.
func (s segment) drop() {
	pool.Put(s.buf)
	if s.loan != nil {
		s.loan.giveBack(len(s.body))
	}
}

// A loan is memory that a Write has lent for as long as it waits. To copy it would
// cost a third of what a megabyte costs in all.
type loan struct {
	changed *sync.Cond // told when bytes falls
	bytes   int        // that are in use
	sent    int        // bytes that are on their way
}

func (l *loan) giveBack(n int) {
	l.bytes -= n
	l.changed.Broadcast()
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
	n := min(len(p), segmentSize-len(seg.buf))
	o.grow(seg, n)
	at := len(seg.buf)
	seg.buf, n = protocol.ExtendRecord(seg.buf, o.open, p[:n])
	o.size += len(seg.buf) - at
	return n
}

// begin starts a record with what fits of p.
func (o *output) begin(pc *protocol.Conn, t protocol.RecordType, id uint16, p []byte) (int, error) {
	seg := o.room(minRecordRoom, protocol.HeaderLen+len(p))
	at := len(seg.buf)
	n := min(len(p), segmentSize-at-protocol.HeaderLen)
	grown, err := pc.Send(seg.buf, t, id, p[:n])
	if err != nil {
		return 0, err
	}
	seg.buf = grown
	o.size += len(grown) - at
	o.open, o.openType = at, t
	return n, nil
}

// refer frames p on stream t without a copy. It must not change until it is sent;
// l, unless it is nil, tells how much of it is in use.
func (o *output) refer(pc *protocol.Conn, t protocol.RecordType, id uint16, p []byte, l *loan) error {
	for len(p) > 0 {
		seg := o.room(minRecordRoom, protocol.HeaderLen)
		at := len(seg.buf)
		n := min(len(p), segmentSize-at-protocol.HeaderLen)
		grown, err := pc.SendHeader(seg.buf, t, id, n)
		if err != nil {
			return err
		}
		seg.buf, seg.body, seg.loan = grown, p[:n], l
		if l != nil {
			l.bytes += n
		}
		o.size += len(grown) - at + n
		o.openType = 0
		p = p[n:]
	}
	return nil
}

// recall takes back what was lent and is not on its way yet.
func (o *output) recall(l *loan) {
	for i := o.taken; i < len(o.segments); i++ {
		if seg := &o.segments[i]; seg.loan == l {
			o.size -= protocol.HeaderLen + len(seg.body)
			l.giveBack(len(seg.body))
			*seg = segment{buf: seg.buf[:len(seg.buf)-protocol.HeaderLen]}
		}
	}
}

// end frames END_REQUEST with what has to go before it and the goodbye that belongs to it, in one segment, and so
// in one write.
func (o *output) end(pc *protocol.Conn, id uint16, e protocol.EndRequest, g goodbye) error {
	const need = 5 * protocol.HeaderLen
	seg := o.room(need, need)
	at := len(seg.buf)
	grown, err := pc.EndRequest(seg.buf, id, e)
	if err != nil {
		return err
	}
	grown = g.append(grown, id)
	seg.buf = grown
	o.size += len(grown) - at
	o.openType = 0
	return nil
}

// room returns the last segment, with room for want bytes, or as many as a
// segment takes. If it could not have need bytes it is a new one.
func (o *output) room(need, want int) *segment {
	if o.empty() || o.last().body != nil || segmentSize-len(o.last().buf) < need {
		if o.taken > len(o.segments)/2 {
			// A writer that is never caught up with must not grow the list.
			o.segments, o.taken = slices.Delete(o.segments, 0, o.taken), 0
		}
		o.segments = append(o.segments, segment{})
		o.openType = 0
	}
	seg := o.last()
	o.grow(seg, min(want, segmentSize-len(seg.buf)))
	return seg
}

// grow makes room for n bytes more in a segment.
func (o *output) grow(seg *segment, n int) {
	o.held -= cap(seg.buf)
	if seg.buf == nil {
		seg.buf = pool.Get(n)
	} else {
		seg.buf = pool.Grow(seg.buf, n)
	}
	o.held += cap(seg.buf)
}

func (o *output) last() *segment { return &o.segments[len(o.segments)-1] }

func (o *output) empty() bool { return o.taken == len(o.segments) }

// first returns the size of the first segment.
func (o *output) first() int { return o.segments[o.taken].size() }

// take removes the first segment, for the caller to send and give its buffer back
// to the pool.
func (o *output) take() segment {
	seg := o.segments[o.taken]
	o.segments[o.taken] = segment{}
	o.size -= seg.size()
	o.held -= cap(seg.buf)
	if o.taken++; o.empty() {
		o.segments, o.taken = o.segments[:0], 0
		o.openType = 0
	}
	return seg
}

// drop forgets everything.
func (o *output) drop() {
	for !o.empty() {
		o.take().drop()
	}
}
