package listen

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"

	"github.com/simple-fastcgi/fastcgi/internal/address"
)

// DefaultMode is the mode of a socket file when Options.Mode is zero: the owner and the group may connect.
const DefaultMode os.FileMode = 0o660

// Options say how a socket is made and who may connect to it. A nil *Options and the zero value mean the defaults.
type Options struct {
	// Mode is the permission of the socket file that Listen makes; zero means DefaultMode. To connect takes write
	// permission. It is exact, whatever the umask, and at no instant can anybody connect whom it does not admit.
	Mode os.FileMode

	// Owner and Group are whom the socket file that Listen makes belongs to, each a name or a number; empty means
	// the process's own. Mode, Owner and Group say nothing about inherited sockets, whose maker has decided.
	Owner, Group string

	// Allow lists the addresses that may connect; nil means any. When FCGI_WEB_SERVER_ADDRS is set as well, a peer
	// must be on both lists. A list refuses the peers of Unix sockets, which have no address.
	Allow *Allow

	// AllowAnyAddress permits a TCP socket that other machines can reach although there is no list of addresses.
	AllowAnyAddress bool

	// AllowUIDs lists the users that may connect to a Unix socket; nil means any, an empty list nobody. It needs
	// Linux; elsewhere, and with a TCP socket, setting it is an error.
	AllowUIDs []int

	// CertFile and KeyFile are the PEM files of the certificate that a socket with TLS shows, and of its key; without KeyFile the key is
	// in CertFile. With ClientCAFile a client must show a certificate that is signed by one of the authorities in it. The
	// files are read again when they have changed: see package certs. TLSConfig is for the rest; nil means the defaults.
	CertFile, KeyFile, ClientCAFile string
	TLSConfig                       *tls.Config

	// CertsChanged is told when these files have changed: nil if they are in use, or why they are not; nil means nobody is told.
	CertsChanged func(err error)

	// Refused is told of each peer that was closed at once, or whose TLS handshake has failed, and why. It is called where
	// connections are accepted, so it must not block, and for handshakes by several goroutines at once; nil means nobody
	// is told.
	Refused func(addr net.Addr, reason string)
}

// Listen makes or finds the socket that addr names, in the forms of package address. The empty one is the environment's
// one socket: see [Environment]. To an abstract socket every local user can connect: see Options.AllowUIDs. An inherited
// descriptor must be a listening socket, and is taken over.
//
// A socket file on which nothing answers any more is replaced. One that answers, and any other file, is left alone
// and is an error. Closing the listener removes the socket file.
//
// A TCP socket that other machines can reach is refused unless there is a list of addresses (Options.Allow or
// FCGI_WEB_SERVER_ADDRS), clients must show a certificate, or Options.AllowAnyAddress is set, for inherited sockets too.
//
// An address with TLS needs a certificate. An inherited TCP socket has TLS if there is one.
//
// The result is a *[Listener], or a *[TLSListener].
func Listen(addr string, opts *Options) (net.Listener, error) {
	a, err := address.Parse(addr)
	if err != nil {
		return nil, err
	}
	o, err := newOpener(opts)
	if err != nil {
		return nil, err
	}
	if err := o.checkTLS(a); err != nil {
		return nil, err
	}
	switch a.Kind() {
	case address.Unix:
		return o.unix(a)
	case address.TCP:
		return o.tcp(a)
	case address.Descriptor:
		return o.descriptor(a.FD())
	}
	return o.onlyOne()
}

// An opener makes listeners under one set of options.
type opener struct {
	opts  Options
	guard *Guard
	tls   *tls.Config // nil: none
}

func newOpener(opts *Options) (*opener, error) {
	if opts == nil {
		opts = new(Options)
	}
	if opts.Mode&^fs.ModePerm != 0 {
		return nil, fmt.Errorf("fastcgi: ListenOptions.Mode %v has more than permission bits: write 0660", opts.Mode)
	}
	guard, err := newGuard(opts)
	if err != nil {
		return nil, err
	}
	config, err := newTLS(opts)
	if err != nil {
		return nil, err
	}
	return &opener{opts: *opts, guard: guard, tls: config}, nil
}

// refuseFileOptions refuses options that concern a socket file, for a socket that has none.
func (o *opener) refuseFileOptions() error {
	if o.opts.Mode != 0 || o.opts.Owner != "" || o.opts.Group != "" {
		return errors.New("fastcgi: ListenOptions.Mode, Owner and Group are for socket files: leave them out, or listen on unix:/path")
	}
	return nil
}
