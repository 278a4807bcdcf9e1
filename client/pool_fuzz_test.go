package client

import (
	"context"
	"net"
	"slices"
	"testing"
	"testing/synctest"
)

// A poolUser is a request that uses a connPool.
type poolUser struct {
	want   want
	cancel context.CancelFunc
	done   bool // acquire has returned
	grant  grant
	err    error
	held   bool // it has what was granted
	served bool // with a connection that was there; others may make theirs while one waits for room on another's
}

// A poolModel is a connPool with all its users, in a bubble of synctest.
type poolModel struct {
	t      *testing.T
	client *Client
	users  []*poolUser
	conns  []*conn
	most   int // requests on a connection
	want   want

	cancelled int // users who went away; the connections that they had been given are kept whatever maxIdle is
}

// noConn is a connection of which only Close is called.
type noConn struct{ net.Conn }

func (noConn) Close() error { return nil }

// FuzzPool holds, for whatever users do to a connPool, that there are never more connections than may be, that none has more
// requests than it may have, that nobody waits while what it wants is there, that nobody overtakes who wants the same, and
// that what was given back is there again.
func FuzzPool(f *testing.F) {
	for _, seed := range []string{
		"", "\x01\x02\x03", "AAAAAAAAAAA", "\x00\x02\x00\x00\x00\x00\x00\x02\x04\x04\x04\x05", "\x07\x10\x20\x30\x02\x12\x22\x04\x14\x0b\x1b\x0c",
	} {
		f.Add(uint8(0x25), []byte(seed))
	}
	f.Fuzz(func(t *testing.T, setting uint8, ops []byte) {
		if len(ops) > 200 {
			return
		}
		synctest.Test(t, func(t *testing.T) {
			m := &poolModel{t: t, client: &Client{}, most: int(setting>>2)%4 + 1}
			m.want = want{room: m.most, maxConns: int(setting) % 4, maxIdle: int(setting>>4) % 4}
			m.client.pool.unshared = setting >= 0x80 // from the start
			for _, op := range ops {
				m.do(op%16, int(op/16))
				m.check()
			}
			m.end()
		})
	})
}

// do does an operation, to the i-th of those that it can be done to.
func (m *poolModel) do(op byte, i int) {
	p := &m.client.pool
	switch op {
	case 0, 1, 2: // a request
		m.ask(want{shared: !p.unshared})
	case 3: // one that was lost
		m.ask(want{shared: !p.unshared, after: p.number})
	case 4: // a question for values
		m.ask(want{after: brandNew})
	case 5, 6: // a connection is made
		if u := m.pick(i, isMaking); u != nil {
			c := newConn(m.client, noConn{}, u.grant.number, u.want.shared, map[bool]int{true: m.most, false: 1}[u.want.shared])
			m.conns = append(m.conns, c)
			u.grant.conn = c
			u.held = p.add(c)
		}
	case 7: // it is not
		if u := m.pick(i, isMaking); u != nil {
			u.held = false
			p.unmade(u.grant.number)
		}
	case 8, 9, 10: // a request is over
		m.release(m.pick(i, hasConn))
	case 11: // a connection is lost
		if u := m.pick(i, hasConn); u != nil {
			m.lose(u.grant.conn)
		} else if len(p.idle) > 0 {
			m.lose(p.idle[i%len(p.idle)])
		}
	case 12: // one who waits goes, as it is given something, which may be lost as well
		user := m.pick(i/2, hasConn)
		self := &waiter{want: m.wanted(want{shared: !p.unshared}), ready: make(chan struct{})}
		p.mu.Lock()
		p.waiting = append(p.waiting, self)
		p.serve()
		p.mu.Unlock()
		m.release(user)
		if c := self.grant.conn; c != nil && i%2 == 0 {
			m.lose(c)
		}
		p.leave(self)
		m.cancelled++
	case 13: // or before
		if u := m.pick(i, isWaiting); u != nil {
			u.cancel()
			m.cancelled++
		}
	case 14:
		if u := m.pick(i, hasConn); u != nil {
			if p.limit(u.grant.conn, i%3); i > 8 {
				p.retire(u.grant.conn)
			}
		}
	case 15:
		if i == 0 {
			for _, c := range p.unshare() {
				c.close(errOver)
			}
		}
		m.client.closeIdle(uint64(i))
	}
}

func isMaking(u *poolUser) bool  { return u.held && u.grant.conn == nil }
func hasConn(u *poolUser) bool   { return u.held && u.grant.conn != nil }
func isWaiting(u *poolUser) bool { return !u.done }

// pick returns the i-th user of a kind, or nil.
func (m *poolModel) pick(i int, is func(*poolUser) bool) *poolUser {
	var found []*poolUser
	for _, u := range m.users {
		if is(u) {
			found = append(found, u)
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[i%len(found)]
}

// wanted fills in what all want.
func (m *poolModel) wanted(w want) want {
	w.room, w.maxConns, w.maxIdle = 1, m.want.maxConns, m.want.maxIdle
	if w.shared {
		w.room = m.want.room
	}
	return w
}

// ask adds a user.
func (m *poolModel) ask(w want) {
	w = m.wanted(w)
	ctx, cancel := context.WithCancel(context.Background())
	u := &poolUser{want: w, cancel: cancel}
	m.users = append(m.users, u)
	go func() {
		g, err := m.client.pool.acquire(ctx, w)
		if g.victim != nil {
			g.victim.close(errOver)
		}
		u.grant, u.err, u.done, u.held, u.served = g, err, true, err == nil, g.conn != nil
	}()
	synctest.Wait()
}

func (m *poolModel) release(u *poolUser) {
	if u == nil {
		return
	}
	u.held = false
	if c := u.grant.conn; !m.client.pool.release(c, m.want.maxIdle) {
		c.close(errOver)
	}
}

// lose closes a connection under those who have it.
func (m *poolModel) lose(c *conn) {
	c.close(errOver)
	synctest.Wait()
	for _, u := range m.users {
		if u.grant.conn == c {
			u.held = false
		}
	}
}

// check looks for what must not be.
func (m *poolModel) check() {
	m.t.Helper()
	synctest.Wait()
	p := &m.client.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	users := make(map[*conn]int)
	makers := make(map[uint64]int)
	for i, u := range m.users {
		switch {
		case hasConn(u):
			users[u.grant.conn]++
		case isMaking(u):
			makers[u.grant.number]++
		}
		for _, before := range m.users[:i] {
			if u.served && !before.done && before.want == u.want && !p.unshared {
				m.t.Errorf("somebody has overtaken: %+v", u.want)
			}
		}
		if u.served && u.grant.conn.number <= u.want.after {
			m.t.Errorf("connection %d for %+v", u.grant.conn.number, u.want)
		}
	}
	if n := len(p.conns) + len(p.making); m.want.maxConns > 0 && n > m.want.maxConns {
		m.t.Errorf("%d connections, and there may be %d", n, m.want.maxConns)
	}
	for _, mk := range p.making {
		if makers[mk.number] != 1 {
			m.t.Errorf("%d users make connection %d", makers[mk.number], mk.number)
		}
	}
	if len(makers) != len(p.making) {
		m.t.Errorf("%d make connections, and %d are being made", len(makers), len(p.making))
	}
	for _, c := range p.conns {
		most := m.most
		if !c.shared {
			most = 1
		}
		if c.used != users[c] || c.used > most {
			m.t.Errorf("connection %d is said to have %d requests, has %d, and may have %d", c.number, c.used, users[c], most)
		}
		if idle := slices.Contains(p.idle, c); idle != (c.used == 0) {
			m.t.Errorf("connection %d has %d requests; idle: %v", c.number, c.used, idle)
		}
	}
	for _, c := range p.idle {
		if !slices.Contains(p.conns, c) {
			m.t.Errorf("connection %d is idle and does not exist", c.number)
		}
	}
	if len(p.idle) > m.want.maxIdle+m.cancelled {
		m.t.Errorf("%d connections are idle", len(p.idle))
	}
	m.checkWaiting(p)
}

// checkWaiting looks at the first who waits, and at those behind it that it does not hold up.
func (m *poolModel) checkWaiting(p *connPool) {
	m.t.Helper()
	for i, w := range p.waiting {
		free := w.maxConns == 0 || len(p.conns)+len(p.making) < w.maxConns || len(p.idle) > 0
		switch {
		case w.shared && p.leastUsed(w.after) != nil,
			w.shared && p.expected(w.after) <= i && free,
			!w.shared && p.idleAfter(&w.want) != nil,
			!w.shared && free:
			m.t.Errorf("%+v waits in vain, as number %d", w.want, i)
		}
		if w.after == 0 {
			return
		}
	}
}

// end gives everything back.
func (m *poolModel) end() {
	p := &m.client.pool
	for n := 0; ; n++ {
		synctest.Wait()
		if u := m.pick(n, isMaking); u != nil {
			m.do(7, n)
		} else if u := m.pick(n, hasConn); u != nil {
			m.release(u)
		} else {
			break
		}
		m.check()
	}
	if u := m.pick(0, isWaiting); u != nil {
		m.t.Errorf("%+v waits at the end", u.want)
	}
	for _, c := range p.conns {
		if c.used != 0 {
			m.t.Errorf("connection %d has %d requests at the end", c.number, c.used)
		}
	}
	for _, u := range m.users {
		u.cancel()
	}
	m.client.Close()
	synctest.Wait()
	if len(p.conns)+len(p.idle)+len(p.making)+len(p.waiting) > 0 {
		m.t.Errorf("after Close: %d connections, %d idle, %d being made, %d wait",
			len(p.conns), len(p.idle), len(p.making), len(p.waiting))
	}
}
