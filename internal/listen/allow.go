package listen

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// An Allow is the list of the addresses web servers connect from, as in FCGI_WEB_SERVER_ADDRS.
//
// A nil *Allow is no list and permits every peer; the zero value is an empty list and permits none. An Allow does not
// change and may be used by several goroutines at once.
//
// See FastCGI 1.0 §3.2.
type Allow struct {
	prefixes []netip.Prefix // masked, never 4in6
	err      error          // why the list could not be read; prefixes is then empty
}

// ParseAllow reads a comma-separated list of IPv4 addresses, IPv6 addresses and CIDR ranges.
//
// A blank list is no list: the result is nil. A malformed list permits nobody: the result is then an Allow that
// refuses every peer, together with the error.
func ParseAllow(s string) (*Allow, error) {
	allow, err := parseAllow(s)
	if err != nil {
		return allow, fmt.Errorf("fastcgi: allow-list: %w", err)
	}
	return allow, nil
}

// parseAllow is ParseAllow with errors that do not say where the list came from.
func parseAllow(s string) (*Allow, error) {
	if strings.TrimSpace(s) == "" {
		return nil, nil
	}
	var allow Allow
	for element := range strings.SplitSeq(s, ",") {
		prefix, err := parsePrefix(strings.TrimSpace(element))
		if err != nil {
			err = fmt.Errorf("%q %w: write a list such as 127.0.0.1,::1,10.0.0.0/8", element, err)
			return &Allow{err: err}, err
		}
		allow.prefixes = append(allow.prefixes, prefix)
	}
	return &allow, nil
}

// parsePrefix reads one element of a list; a single address is a prefix of full length.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		// A peer's zone names an interface of this machine; a list that travels between machines cannot.
		if addr.Zone() != "" {
			return netip.Prefix{}, errors.New("has a zone, which a list cannot hold")
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, errors.New("is neither an address nor a CIDR range")
	}
	return unmapPrefix(prefix)
}

// unmapPrefix turns a range of IPv4-mapped addresses into the IPv4 range it stands for: peers are compared unmapped.
func unmapPrefix(p netip.Prefix) (netip.Prefix, error) {
	const mappedBits = 96 // ::ffff:0:0/96 holds all of IPv4
	switch {
	case !p.Addr().Is4In6():
		return p.Masked(), nil
	case p.Bits() < mappedBits:
		return netip.Prefix{}, errors.New("mixes IPv4-mapped and other IPv6 addresses")
	}
	return netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mappedBits).Masked(), nil
}

// Permits reports whether a peer at addr may connect.
//
// An IPv4 peer of an IPv6 socket is compared as IPv4, and the zone of a link-local peer is not compared. A peer
// without an IP address, such as that of a Unix socket, is on no list.
func (a *Allow) Permits(addr net.Addr) bool {
	return a.check(addr) == nil
}

// check is Permits with the reason.
func (a *Allow) check(addr net.Addr) error {
	if a == nil {
		return nil
	}
	if a.err != nil {
		return fmt.Errorf("the allow-list is malformed, so nobody is on it: %w", a.err)
	}
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return errors.New("the peer has no IP address, and there is an allow-list")
	}
	peer := tcp.AddrPort().Addr().Unmap().WithZone("")
	for _, prefix := range a.prefixes {
		if prefix.Contains(peer) {
			return nil
		}
	}
	return fmt.Errorf("%v is not on the allow-list", peer)
}
