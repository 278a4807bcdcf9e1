package client

import (
	"testing"
	"time"
)

// A SpoolFile is where a response waits on disk.
type SpoolFile = spoolFile

// SetSpool has what does not fit into memory go to files that create makes, and returns what makes them otherwise.
func (c *Client) SetSpool(create func() (SpoolFile, error)) { c.spooling.create = create }

// NewSpool makes a file as the client does without SetSpool.
func (c *Client) NewSpool() (SpoolFile, error) {
	create := c.spooling.create
	c.spooling.create = nil
	defer func() { c.spooling.create = create }()
	return c.createSpool()
}

// Spooled returns how much there is on disk, of what SpoolLimit limits.
func (c *Client) Spooled() int64 {
	if c.spooling.budget == nil {
		return 0
	}
	return c.spooling.budget.Used()
}

// The limits of what waits in memory.
const (
	MaxBuffered = maxBuffered
	MaxQueued   = maxQueued
	MaxErrors   = maxErrors
	Patience    = patience

	AbortTimeout = abortTimeout
)

// Chooser returns what chooses an application for a request, without a request to it, and tells its name.
func (b *Balancer) Chooser(t testing.TB, req *Request) func() string {
	t.Helper()
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	c := b.newCall(req)
	now := time.Now()
	return func() string {
		b.mu.Lock()
		defer b.mu.Unlock()
		if a := b.choose(c, now); a != nil {
			return a.name
		}
		return ""
	}
}

// HealthEvents are the events of NextHealth.
var HealthEvents = []string{"succeeded", "failed", "failedOften", "rested", "checksFell", "checksRose"}

// NextHealth is what an event, an index of HealthEvents, makes of a state.
func NextHealth(h Health, event int) Health { return healthTable[h][event] }

// SkipIDs has the next request on each connection have the id behind last, if that is not active.
func (c *Client) SkipIDs(last uint16) {
	for _, conn := range c.pool.conns {
		conn.mu.Lock()
		conn.lastID = last
		conn.mu.Unlock()
	}
}

// ZerosIn is how many bytes of an encoded length are said to be zero.
func ZerosIn(n int) int { return zerosIn(n) }
