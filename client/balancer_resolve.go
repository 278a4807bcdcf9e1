package client

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/limit"
)

// A Resolver looks hosts' names up; a *net.Resolver is one. The network is "ip", "ip4" or "ip6".
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

const (
	lookupTimeout = 5 * time.Second // for one lookup
	lookupPause   = time.Second     // between lookups until one has succeeded
)

// A hostname is a TCP address with a name that stands for IP addresses.
type hostname struct {
	scheme  string // of the address
	network string // tcp, tcp4 or tcp6
	name    string
	port    string
}

// parseHostname returns the name in an address, or nil if there is none to look up.
func parseHostname(addr string) (*hostname, error) {
	a, err := address.Parse(addr)
	if err != nil {
		return nil, err
	}
	network, name, err := a.Target()
	if err != nil {
		return nil, err
	}
	if a.Kind() != address.TCP {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(name)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return nil, nil
	}
	scheme, _, _ := strings.Cut(a.String(), ":")
	return &hostname{scheme: scheme, network: network, name: host, port: port}, nil
}

// identify has a client for one of the IP addresses expect the certificate of the name, where there is TLS.
func (h *hostname) identify(c *Client) {
	a, err := address.Parse(c.Addr)
	if err == nil && a.TLS() && c.ServerName == "" && (c.TLSConfig == nil || c.TLSConfig.ServerName == "") {
		c.ServerName = h.name
	}
}

// lookup returns the IP addresses of a name, sorted: those of IPv4, or if there are none, those of IPv6. A host with both
// would otherwise count twice.
func (h *hostname) lookup(ctx context.Context, r Resolver) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	addrs, err := r.LookupNetIP(ctx, "ip"+h.network[len("tcp"):], h.name)
	if err != nil {
		return nil, err
	}
	found := make([]netip.Addr, 0, len(addrs))
	for _, ip := range addrs {
		found = append(found, ip.Unmap())
	}
	if slices.ContainsFunc(found, netip.Addr.Is4) {
		found = slices.DeleteFunc(found, netip.Addr.Is6)
	}
	slices.SortFunc(found, netip.Addr.Compare)
	found = slices.Compact(found)
	if len(found) == 0 {
		return nil, errors.New("fastcgi: the name has no IP address")
	}
	return found, nil
}

// A lookups is what has become of an entry's lookups. It is guarded by Balancer.mu.
type lookups struct {
	succeeded time.Time // when the last one did that succeeded
	tried     time.Time
	err       error // of the last one
}

func (l *lookups) note(err error, now time.Time) {
	l.err, l.tried = err, now
	if err == nil {
		l.succeeded = now
	}
}

// known reports whether a lookup has succeeded.
func (l *lookups) known() bool { return !l.succeeded.IsZero() }

// lookupState needs mu.
func (e *entry) lookupState() LookupState {
	s := LookupState{Name: e.Name, Host: e.host.name, Time: e.lookups.succeeded, Tried: e.lookups.tried}
	if e.lookups.err != nil {
		s.Error = e.lookups.err.Error()
	}
	return s
}

// changes compares the applications of an entry with the addresses of its name. It needs mu.
func (e *entry) changes(addrs []netip.Addr) (added []netip.Addr, gone []*app) {
	for _, ip := range addrs {
		if !slices.ContainsFunc(e.apps, func(a *app) bool { return a.ip == ip }) {
			added = append(added, ip)
		}
	}
	for _, a := range e.apps {
		if !slices.Contains(addrs, a.ip) {
			gone = append(gone, a)
		}
	}
	return added, gone
}

// resolve looks an entry's name up until the entry is removed or the Balancer closed.
func (b *Balancer) resolve(e *entry) {
	var resolver Resolver = net.DefaultResolver
	if b.Resolver != nil {
		resolver = b.Resolver
	}
	for known := false; ; {
		addrs, err := e.host.lookup(e.ctx, resolver)
		if !b.resolved(e, addrs, err, e.first && !known) {
			return
		}
		known = known || err == nil
		pause := limit.Of(b.ResolveInterval, DefaultResolveInterval, math.MaxInt64)
		if !known {
			pause = min(pause, lookupPause)
		}
		if !sleep(e.ctx, pause) {
			return
		}
	}
}

// resolved takes note of a lookup, and reports whether to go on.
func (b *Balancer) resolved(e *entry, addrs []netip.Addr, err error, first bool) bool {
	b.mu.Lock()
	e.lookups.note(err, time.Now())
	added, gone := e.changes(addrs)
	b.mu.Unlock()
	if err != nil {
		return true
	}
	made := make([]*app, len(added))
	for i, ip := range added {
		hostport := net.JoinHostPort(ip.String(), e.host.port)
		made[i] = b.newApp(e, e.Name+"/"+hostport, e.host.scheme+":"+hostport)
		made[i].ip = ip
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || e.ctx.Err() != nil {
		for _, a := range made {
			a.cancel() // that is all: it has no connections yet
		}
		return false
	}
	b.uninstall(e, gone)
	b.install(e, made, first, time.Now())
	return true
}
