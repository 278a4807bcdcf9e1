package supervise

import "os"

// A Socket is a listening Unix socket to be handed to processes. It is private: only this user's processes can connect.
// On Linux it loses its name in the file system as soon as it listens, so that not even a crash leaves it behind.
type Socket struct {
	// File is what a Pool hands out. It is in blocking mode and not known to Go's poller, unlike what [net.Listen]
	// makes.
	File *os.File

	path   string
	folder string   // made for the socket; empty once it is removed
	handle *os.File // keeps a socket that has lost its name within reach; nil where it has one
}

// Path is where to connect, for this process. It does not change.
func (s *Socket) Path() string { return s.path }

// Close stops listening and removes what there is of the socket.
func (s *Socket) Close() error {
	if s.handle != nil {
		s.handle.Close()
	}
	err := s.File.Close()
	if s.folder != "" {
		os.RemoveAll(s.folder)
	}
	return err
}
