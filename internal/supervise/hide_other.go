//go:build unix && !linux

package supervise

// hide does nothing: a socket without a name cannot be connected to here.
func (s *Socket) hide() {}
