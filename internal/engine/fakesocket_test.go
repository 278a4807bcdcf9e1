package engine

import (
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

// A fakeSocket takes everything and runs what was posted when it is asked to: for what no driver can be brought to do
// in a certain order.
type fakeSocket struct {
	sent        []byte
	posts       []func()
	closed      bool
	closedWrite bool
	calls       []string // of Cork, Send, CloseWrite and Close
	slow        bool     // Send leaves it to the test to call Sent
}

func (s *fakeSocket) Send(head, body []byte) (bool, error) {
	s.calls = append(s.calls, "send")
	s.sent = append(append(s.sent, head...), body...)
	return !s.slow, nil
}
func (s *fakeSocket) SetDeadline(driver.Instant) {}
func (s *fakeSocket) Keep()                      {}
func (s *fakeSocket) Pause()                     {}
func (s *fakeSocket) Resume()                    {}
func (s *fakeSocket) Post(f func())              { s.posts = append(s.posts, f) }
func (s *fakeSocket) Cork()                      { s.calls = append(s.calls, "cork") }
func (s *fakeSocket) CloseWrite()                { s.closedWrite, s.calls = true, append(s.calls, "close write") }

func (s *fakeSocket) Close()               { s.closed, s.calls = true, append(s.calls, "close") }
func (s *fakeSocket) RemoteAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// runPosts runs what was posted, and what that posts.
func (s *fakeSocket) runPosts() {
	for len(s.posts) > 0 {
		f := s.posts[0]
		s.posts = s.posts[1:]
		f()
	}
}
