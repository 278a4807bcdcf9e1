package address

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Forms is how an address can be written that can be dialled, for messages to people.
const Forms = "unix:/path, /path, unix:@name, tcp:host:port, host:port, :port or tls:host:port"

// written is Forms along with what can only be listened on.
const written = Forms + ", or, to listen, fd:N"

// A Kind is what sort of thing an address names.
type Kind int

// The kinds of addresses.
const (
	Inherited  Kind = iota // the sockets that the parent process passed, by whatever convention
	Unix                   // a Unix socket
	TCP                    // a TCP socket
	Descriptor             // one inherited descriptor
)

// An Address says where an application listens. The zero value is the empty address, of kind Inherited. Addresses are
// comparable: those that String prints alike are equal.
type Address struct {
	kind    Kind
	network string // what package net calls it: "unix", "tcp", "tcp4" or "tcp6"
	name    string // what package net takes: a path, an @name, or a host and port
	tls     bool   // of the kind TCP: TLS goes over it
	fd      int
}

// Parse reads an address. The error begins with "fastcgi: " and names what is wrong and what to write instead.
func Parse(s string) (Address, error) {
	if s == "" {
		return Address{}, nil
	}
	a, err := parse(s)
	if err != nil {
		return Address{}, fmt.Errorf("fastcgi: %q is not an address: %w", s, err)
	}
	return a, nil
}

func parse(s string) (Address, error) {
	if strings.HasPrefix(s, "/") {
		return parseUnix(s)
	}
	scheme, rest, hasScheme := strings.Cut(s, ":")
	if !hasScheme {
		return parseBare(s)
	}
	switch scheme {
	case "unix":
		return parseUnix(rest)
	case "tcp", "tcp4", "tcp6":
		return parseTCP(scheme, rest)
	case "fd":
		return parseDescriptor(rest)
	case "tls":
		a, err := parseTCP("tls", rest)
		if err != nil {
			return Address{}, err
		}
		a.network, a.tls = "tcp", true
		return a, nil
	}
	return parseBare(s)
}

// parseBare reads an address that starts with no scheme, which is a host and port or a mistake.
func parseBare(s string) (Address, error) {
	scheme, rest, _ := strings.Cut(s, ":")
	switch lower := strings.ToLower(scheme); {
	case strings.HasPrefix(s, "@"):
		return Address{}, fmt.Errorf("an abstract socket is written %q", "unix:"+s)
	case strings.HasPrefix(rest, "//"):
		return Address{}, errors.New("it is a URL: write " + written)
	case lower != scheme && (lower == "unix" || lower == "tcp" || lower == "tls" || lower == "fd"):
		return Address{}, fmt.Errorf("the word before the colon is in lower case: write %q", lower+":"+rest)
	case strings.ContainsAny(s, `/\`):
		return Address{}, fmt.Errorf("a path that does not start with a slash is written %q", "unix:"+s)
	}
	return parseTCP("tcp", s)
}

func parseUnix(path string) (Address, error) {
	longest := maxPath
	if strings.HasPrefix(path, "@") {
		longest++ // no NUL ends it
	}
	switch {
	case path == "" || path == "@":
		return Address{}, errors.New("it names no socket: write unix:/path/to/socket")
	case strings.ContainsRune(path, 0):
		// The kernel would stop at the NUL and take another file than the one named.
		return Address{}, errors.New("it contains a NUL byte: write the path without")
	case len(path) > longest:
		return Address{}, fmt.Errorf("the path has %d bytes and a socket's can have %d: choose a shorter one", len(path), longest)
	}
	return Address{kind: Unix, network: "unix", name: path}, nil
}

func parseTCP(network, hostport string) (Address, error) {
	host, port, err := net.SplitHostPort(hostport)
	switch {
	case strings.HasPrefix(hostport, "//"):
		return Address{}, fmt.Errorf("there are no slashes before a host: write %q", network+":"+strings.TrimLeft(hostport, "/"))
	case err != nil:
		return Address{}, fmt.Errorf("%s: write %s", tcpFault(hostport, err), written)
	case port == "":
		return Address{}, errors.New("the port is missing: write host:port, as in 127.0.0.1:9000")
	case !isPort(port):
		return Address{}, fmt.Errorf("there is no port %q: write a number up to 65535, or a service's name", port)
	case strings.ContainsFunc(host, isForeignToHosts):
		return Address{}, fmt.Errorf("there is no host %q: write a name or an IP address", host)
	}
	return Address{kind: TCP, network: network, name: net.JoinHostPort(host, port)}, nil
}

// tcpFault says why text is not host:port, in words for a person.
func tcpFault(hostport string, err error) string {
	var malformed *net.AddrError
	switch {
	case hostport == "":
		return "host and port are missing"
	case strings.Trim(hostport, "0123456789") == "":
		return "a port alone begins with a colon"
	case !strings.Contains(hostport, ":"):
		return "the port is missing"
	case isForeignScheme(hostport):
		return "no address begins so"
	case strings.Count(hostport, ":") > 1 && !strings.ContainsAny(hostport, "[]"):
		return "it has several colons, and an IPv6 address takes brackets, as in [::1]:9000"
	case errors.As(err, &malformed):
		return malformed.Err
	}
	return err.Error()
}

// isForeignScheme reports whether text begins with a word and a colon, and the word cannot be the start of an IPv6
// address, before what may be host:port.
func isForeignScheme(s string) bool {
	word, rest, _ := strings.Cut(s, ":")
	return strings.Contains(rest, ":") && strings.ContainsFunc(word, func(r rune) bool {
		return isLetter(r) && !strings.ContainsRune("abcdefABCDEF", r)
	}) && !strings.ContainsFunc(word, func(r rune) bool { return !isLetter(r) && (r < '0' || r > '9') })
}

// isPort reports whether text can be a port: its number, or the name of a service (RFC 6335 §5.1).
func isPort(port string) bool {
	if strings.Trim(port, "0123456789") == "" {
		_, err := strconv.ParseUint(port, 10, 16)
		return err == nil
	}
	return strings.ContainsFunc(port, isLetter) && !strings.ContainsFunc(port, func(r rune) bool {
		return !isLetter(r) && r != '-' && (r < '0' || r > '9')
	})
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

// isForeignToHosts is true for what stands in no host's name and in no IP address, and tells that something else was
// meant: a URL or a path. What is left is for the resolver to judge.
func isForeignToHosts(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`/\@[]`, r) }

func parseDescriptor(number string) (Address, error) {
	fd, err := strconv.ParseUint(number, 10, 31)
	switch {
	case err != nil:
		return Address{}, fmt.Errorf("%q is not a descriptor number: write fd:N, for example fd:0", number)
	case fd == 1 || fd == 2:
		return Address{}, fmt.Errorf("fd %d is for output and errors: pass the socket as fd 0, or as fd 3 or above", fd)
	}
	return Address{kind: Descriptor, fd: int(fd)}, nil
}

// Kind says what sort of thing the address names.
func (a Address) Kind() Kind { return a.kind }

// Network is what net.Listen and net.Dial take as the network, for the kinds Unix and TCP: "unix", "tcp", "tcp4" or
// "tcp6". It is empty for the others.
func (a Address) Network() string { return a.network }

// Name is what net.Listen and net.Dial take as the address, for the same kinds: a path, a name that starts with @, or
// host:port.
func (a Address) Name() string { return a.name }

// TLS reports whether TLS goes over the TCP connections to the address. Who takes an address and cannot do that must
// refuse it: it would be plain text otherwise.
func (a Address) TLS() bool { return a.tls }

// FD is the descriptor's number, for the kind Descriptor.
func (a Address) FD() int { return a.fd }

// IsAbstract reports whether the address is a Unix socket's that has a name and no file.
func (a Address) IsAbstract() bool { return a.kind == Unix && a.name[0] == '@' }

// String is the address in full, scheme included: Parse takes it back.
func (a Address) String() string {
	switch a.kind {
	case Unix, TCP:
		if a.tls {
			return "tls:" + a.name
		}
		return a.network + ":" + a.name
	case Descriptor:
		return "fd:" + strconv.Itoa(a.fd)
	}
	return ""
}

// Available returns why the address means nothing on this system, though it does on another; nil if it does here.
func (a Address) Available() error {
	if a.IsAbstract() && !hasAbstract {
		return fmt.Errorf("fastcgi: %q is an abstract socket, and this system has none: write unix:/path", a)
	}
	return nil
}

// Target returns what net.Dial takes, or why there is nothing to dial: the error is like those of Parse. Whether TLS
// goes over that connection, TLS says.
func (a Address) Target() (network, name string, err error) {
	switch a.kind {
	case Inherited:
		return "", "", errors.New("fastcgi: the address is empty: write " + Forms)
	case Descriptor:
		return "", "", fmt.Errorf("fastcgi: %q is for listening and cannot be dialled: write %s", a, Forms)
	case TCP:
		if _, port, _ := net.SplitHostPort(a.name); strings.Trim(port, "0") == "" {
			return "", "", fmt.Errorf("fastcgi: %q has port 0, which is for listening on any free one: write the port that it became", a)
		}
	}
	return a.network, a.name, a.Available()
}
