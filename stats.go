package fastcgi

import "sync/atomic"

// Stats are a server's counters since its start, and how many connections and
// requests it has now.
type Stats struct {
	OpenConns      int   // open now
	ActiveRequests int   // with a handler now
	Conns          int64 // accepted
	Requests       int64 // begun, refused ones of UNKNOWN_ROLE and the like left out
	Aborted        int64 // cancelled by ABORT_REQUEST, loss of the connection or Close
	Overloaded     int64 // answered OVERLOADED: no memory, too many connections, or shutting down
	Overflowed     int64 // ended because their unread input found no place
	RefusedConns   int64 // beyond MaxConns, or after Close
	ProtocolErrors int64
	Panics         int64 // in handlers and callbacks
	BytesIn        int64
	BytesOut       int64
	BufferedBytes  int64 // parameters and input in memory now
	SpooledBytes   int64 // input on disk now
}

// Stats returns the server's counters. They are not taken at one instant.
func (s *Server) Stats() Stats {
	sv, _ := s.start()
	c := &sv.stats
	sv.mu.Lock()
	open := len(sv.conns)
	sv.mu.Unlock()
	return Stats{
		OpenConns:      open,
		ActiveRequests: sv.gate.active(),
		Conns:          c.connections.Load(),
		Requests:       c.requests.Load(),
		Aborted:        c.aborted.Load(),
		Overloaded:     c.overloaded.Load(),
		Overflowed:     c.overflowed.Load(),
		RefusedConns:   c.refused.Load(),
		ProtocolErrors: c.protocolErrors.Load(),
		Panics:         c.panics.Load(),
		BytesIn:        c.bytesIn.Load(),
		BytesOut:       c.bytesOut.Load(),
		BufferedBytes:  sv.memory.Used(),
		SpooledBytes:   sv.spool.Used(),
	}
}

// counters are behind Server.Stats.
type counters struct {
	connections, requests, aborted, overloaded  atomic.Int64
	overflowed, protocolErrors, panics, refused atomic.Int64
	bytesIn, bytesOut                           atomic.Int64
}
