package fastcgi

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// values are the variables told on GET_VALUES (§4.1). What has no limit is left
// out.
func (s *Server) values(maxConns, maxRequests int) []protocol.Value {
	var known []protocol.Value
	if maxConns > 0 {
		known = append(known, constant(protocol.VarMaxConns, maxConns))
	}
	if n := maxReqs(s.MaxConcurrency, maxConns, maxRequests); n > 0 {
		known = append(known, constant(protocol.VarMaxReqs, n))
	}
	known = append(known, constant(protocol.VarMpxsConns, min(maxRequests-1, 1)))
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		known = append(known, protocol.Value{Name: name, Value: func() string {
			defer s.engine.Contain()
			return s.Values[name]()
		}})
	}
	return known
}

// maxReqs is what FCGI_MAX_REQS is told as, 0 for no limit. The specification
// has it be what the application takes in all. HAProxy, the one web server that
// asks, has as many on a single connection and does not get over OVERLOADED
// there: so where connections are multiplexed, it is no more than one takes.
func maxReqs(concurrency, maxConns, maxRequests int) int {
	n := cmp.Or(max(concurrency, 0), maxConns)
	if maxRequests > 1 && (n <= 0 || n > maxRequests) {
		n = maxRequests
	}
	return max(n, 0)
}

func constant(name string, n int) protocol.Value {
	value := strconv.Itoa(n)
	return protocol.Value{Name: name, Value: func() string { return value }}
}
