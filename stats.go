package fastcgi

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
	BufferedBytes  int64 // parameters, input and waiting output in memory now
	SpooledBytes   int64 // input on disk now
}

// Stats returns the server's counters. They are not taken at one instant.
func (s *Server) Stats() Stats {
	e, _ := s.start()
	return Stats(e.Stats())
}
