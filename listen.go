package fastcgi

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// ListenOptions say how a socket is made and who may connect to it. FastCGI has
// no authentication: whoever connects speaks as the web server. TLS with client
// certificates adds it.
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
	// no list of addresses and no ClientCAFile.
	AllowAnyAddress bool
	// AllowUIDs lists the users that may connect to a Unix socket; nil means
	// any. Linux only; elsewhere setting it is an error.
	AllowUIDs []int

	// CertFile and KeyFile name the PEM files of the certificate that a tls: address
	// shows, with those between it and its authority behind it, and of its key.
	// Without KeyFile the key is in CertFile. With another address they are an error;
	// an inherited TCP socket has TLS if they are set.
	//
	// The files are looked at when a handshake begins, once a second at most, and
	// used anew when they have changed. If they cannot be used, ErrorLog is told, and
	// the old ones stay.
	CertFile, KeyFile string
	// ClientCAFile names the PEM file of the authorities of which one must have signed
	// a client's certificate: without such a certificate nobody gets a request in.
	// Empty means that clients need none. It is looked at as CertFile is.
	ClientCAFile string
	// TLSConfig is for all else about TLS, and may hold the certificate in place of
	// CertFile. It is copied; the files count more. TLS is version 1.2 at least, whatever it
	// says; no application protocol (ALPN) is spoken unless it names some. Nil means
	// the defaults of package tls.
	TLSConfig *tls.Config

	// ErrorLog is told of refused peers, of TLS handshakes that failed, and of
	// certificates that have changed; nil means slog.Default().
	ErrorLog *slog.Logger
}

// Listen makes or finds the socket that addr names:
//
//	unix:/path or /path               a socket file
//	unix:@name                        an abstract socket (Linux)
//	tcp:host:port, host:port or :port a TCP socket; tcp4: and tcp6: for one version of IP
//	tls:host:port                     a TCP socket with TLS over it: see ListenOptions.CertFile
//	fd:N                              an inherited descriptor
//	""                                the socket that the parent process passed: LISTEN_FDS, or fd 0
//
// A socket file on which nothing answers any more is replaced; one that
// answers, and any other file, is left alone and an error. Closing the listener
// removes the file. A TCP socket that other machines can reach needs a list of
// addresses, client certificates, or AllowAnyAddress. Nil options are the zero
// ListenOptions.
//
// With TLS, connections that are accepted are net.Conns that do the handshake in
// their first Read or Write. They have the methods of *tls.Conn.
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
		CertFile: o.CertFile, KeyFile: o.KeyFile, ClientCAFile: o.ClientCAFile, TLSConfig: o.TLSConfig,
		CertsChanged: func(err error) {
			if err != nil {
				log.Error("fastcgi: changed certificate files cannot be used, the old certificates stay", "error", err)
				return
			}
			log.Info("fastcgi: certificate files read again")
		},
		Refused: func(addr net.Addr, reason string) {
			log.Warn("fastcgi: connection refused", "remote", addr, "reason", reason)
		},
	}, nil
}

// listenOptions are ListenOptions with the server's log, where they have none.
func (s *Server) listenOptions() ListenOptions {
	opts := s.ListenOptions
	if opts.ErrorLog == nil {
		opts.ErrorLog = s.ErrorLog
	}
	return opts
}

// openListeners opens what Run listens on.
func (s *Server) openListeners() ([]net.Listener, error) {
	opts := s.listenOptions()
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
