package listen

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
)

// webServerAddrs is the variable in which a web server lists where it connects from: FastCGI 1.0 §3.2.
const webServerAddrs = "FCGI_WEB_SERVER_ADDRS"

// A Guard decides which peers may talk to a listener. It is apart from the listener so that a driver which accepts
// on the raw descriptor applies the very same rule.
//
// A nil *Guard admits everybody. A Guard does not change and may be used by several goroutines at once.
type Guard struct {
	lists   []*Allow
	uids    []int // nil: any uid
	refused func(addr net.Addr, reason string)
}

// newGuard combines the options with the environment. It is nil when neither restricts anything.
func newGuard(opts *Options) (*Guard, error) {
	g := &Guard{uids: opts.AllowUIDs, refused: opts.Refused}
	if g.uids != nil && !canReadPeerUID {
		return nil, errors.New("fastcgi: ListenOptions.AllowUIDs: this system does not tell the uid of a peer: " +
			"use the socket file's owner, group and mode")
	}
	fromEnv, err := parseAllow(os.Getenv(webServerAddrs))
	if err != nil {
		return nil, fmt.Errorf("fastcgi: %s: %w", webServerAddrs, err)
	}
	// Two lists are both binding: neither the program nor its parent can widen what the other restricts.
	for _, list := range []*Allow{opts.Allow, fromEnv} {
		if list != nil {
			g.lists = append(g.lists, list)
		}
	}
	if g.lists == nil && g.uids == nil {
		return nil, nil
	}
	return g, nil
}

// hasList reports whether peers are compared with a list of addresses.
func (g *Guard) hasList() bool { return g != nil && g.lists != nil }

// hasUIDs reports whether peers are compared with a list of uids.
func (g *Guard) hasUIDs() bool { return g != nil && g.uids != nil }

// Check says why the peer at addr, whose accepted connection is the descriptor fd, may not connect; nil if it may.
// It does not block, close or keep fd.
func (g *Guard) Check(addr net.Addr, fd uintptr) error {
	if g == nil {
		return nil
	}
	for _, list := range g.lists {
		if err := list.check(addr); err != nil {
			return err
		}
	}
	if g.uids == nil {
		return nil
	}
	return g.checkUID(fd)
}

func (g *Guard) checkUID(fd uintptr) error {
	uid, err := peerUID(fd)
	if err != nil {
		return fmt.Errorf("the peer's uid is unknown: %w", err)
	}
	if !slices.Contains(g.uids, uid) {
		return fmt.Errorf("uid %d is not in AllowUIDs", uid)
	}
	return nil
}

// Report tells Options.Refused about a peer that Check refused and whose connection is closed.
func (g *Guard) Report(addr net.Addr, reason error) {
	if g != nil && g.refused != nil {
		g.refused(addr, reason.Error())
	}
}
