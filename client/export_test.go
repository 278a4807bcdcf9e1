package client

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
)
