package fastcgi

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// ListenOptions say how a socket is made and who may connect to it. FastCGI has
// no authentication: whoever connects speaks as the web server.
type ListenOptions struct {
	// Mode is the permission of the socket file that Listen makes. The
	// default, where it is zero, is 0660: the owner and the group may connect.
	Mode os.FileMode
	// Owner and Group are whom that file belongs to, each a name or a number;
	// empty means the process's own.
	Owner, Group string
	// Allow lists the addresses that may connect: IPv4, IPv6 and CIDR ranges,
	// separated by commas. Empty means any. If FCGI_WEB_SERVER_ADDRS (§3.2) is
	// set as well, a peer must be on both lists.
	Allow string
	// AllowAnyAddress permits a TCP socket that other machines can reach with
	// no list of addresses.
	AllowAnyAddress bool
	// AllowUIDs lists the users that may connect to a Unix socket; nil means
	// any. Linux only; elsewhere setting it is an error.
	AllowUIDs []int
	// ErrorLog is told of refused peers; nil means slog.Default().
	ErrorLog *slog.Logger
}

// Listen makes or finds the socket that addr names:
//
//	unix:/path or /path               a socket file
//	unix:@name                        an abstract socket (Linux)
//	tcp:host:port, host:port or :port a TCP socket; tcp4: and tcp6: for one version of IP
//	fd:N                              an inherited descriptor
//	""                                the socket that the parent process passed: LISTEN_FDS, or fd 0
//
// A socket file on which nothing answers any more is replaced; one that
// answers, and any other file, is left alone and an error. Closing the listener
// removes the file. A TCP socket that other machines can reach needs a list of
// addresses, or AllowAnyAddress. Nil options are the zero ListenOptions.
func Listen(addr string, opts *ListenOptions) (net.Listener, error) {
	o, err := opts.internal()
	if err != nil {
		return nil, err
	}
	return listen.Listen(addr, o)
}

// internal returns the options in the terms of package listen.
func (o *ListenOptions) internal() (*listen.Options, error) {
	if o == nil {
		o = &ListenOptions{}
	}
	allow, err := listen.ParseAllow(o.Allow)
	if err != nil {
		return nil, fmt.Errorf("%w in ListenOptions.Allow", err)
	}
	log := o.ErrorLog
	if log == nil {
		log = slog.Default()
	}
	return &listen.Options{
		Mode: o.Mode, Owner: o.Owner, Group: o.Group,
		Allow: allow, AllowAnyAddress: o.AllowAnyAddress, AllowUIDs: o.AllowUIDs,
		Refused: func(addr net.Addr, reason string) {
			log.Warn("fastcgi: connection refused", "remote", addr, "reason", reason)
		},
	}, nil
}

// openListeners opens what Run listens on.
func (s *Server) openListeners() ([]net.Listener, error) {
	opts := s.ListenOptions
	if opts.ErrorLog == nil {
		opts.ErrorLog = s.ErrorLog
	}
	if s.Addr != "" {
		l, err := Listen(s.Addr, &opts)
		if err != nil {
			return nil, err
		}
		return []net.Listener{l}, nil
	}
	o, err := opts.internal()
	if err != nil {
		return nil, err
	}
	return listen.Environment(o)
}

// isCGI reports whether there is no socket because the program was started as
// a plain CGI program.
func isCGI(err error) bool { return errors.Is(err, listen.ErrCGI) }
