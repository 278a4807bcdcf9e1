package protocol

// A request is what a connection remembers of one active request: its place in
// the two tables, and nothing that grows.
type request struct {
	id       uint16
	role     Role
	in       requestPhase
	out      responsePhase
	stderr   bool        // something was sent on STDERR, so its end is owed (§3.3)
	paramLen int         // bytes of PARAMS so far
	pairs    pairScanner // where PARAMS stands between two chunks
	user     any         // the caller's, see Conn.Attach
}

// requests holds the active requests of a connection. Most have one, so it is
// a list that is searched; a long list gets an index.
type requests struct {
	list   []request
	recent int            // the position that was asked for last, which is often asked for again
	index  map[uint16]int // position in list, kept while it is longer than searchLen
}

// searchLen is the length up to which walking the list beats a map: 16 ids are
// found within about 10 ns.
const searchLen = 16

// find returns the active request with an id, or nil. The pointer is valid
// until the next add or remove.
func (r *requests) find(id uint16) *request {
	if i := r.position(id); i >= 0 {
		return &r.list[i]
	}
	return nil
}

func (r *requests) position(id uint16) int {
	if r.recent < len(r.list) && r.list[r.recent].id == id {
		return r.recent
	}
	i := r.search(id)
	if i >= 0 {
		r.recent = i
	}
	return i
}

func (r *requests) search(id uint16) int {
	if r.index != nil {
		if i, ok := r.index[id]; ok {
			return i
		}
		return -1
	}
	for i := range r.list {
		if r.list[i].id == id {
			return i
		}
	}
	return -1
}

func (r *requests) add(q request) {
	r.recent = len(r.list)
	r.list = append(r.list, q)
	switch {
	case r.index != nil:
		r.index[q.id] = len(r.list) - 1
	case len(r.list) > searchLen:
		r.index = make(map[uint16]int, 4*searchLen)
		for i := range r.list {
			r.index[r.list[i].id] = i
		}
	}
}

func (r *requests) remove(id uint16) {
	i := r.position(id)
	if i < 0 {
		return
	}
	last := len(r.list) - 1
	r.list[i] = r.list[last]
	r.list[last] = request{}
	r.list = r.list[:last]
	if r.index != nil {
		delete(r.index, id)
		if i < last {
			r.index[r.list[i].id] = i
		}
	}
	if last == 0 {
		r.clear()
	}
}

// clear forgets all requests, and gives back what a burst of them needed.
func (r *requests) clear() {
	if r.index != nil {
		*r = requests{}
		return
	}
	clear(r.list) // what callers attached
	r.list = r.list[:0]
}
