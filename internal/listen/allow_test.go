package listen_test

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// tcpPeer is the address of a TCP peer as package net gives it; a zone is kept.
func tcpPeer(addr string) net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(addr), 40000))
}

// A46: who is on a list.
func TestAllowPermits(t *testing.T) {
	tests := []struct {
		list string
		yes  []string
		no   []string
	}{
		{"127.0.0.1", []string{"127.0.0.1", "::ffff:127.0.0.1"}, []string{"127.0.0.0", "127.0.0.2", "::1", "::7f00:1", "::ffff:127.0.0.2"}},
		{"199.170.183.28, 199.170.183.71", []string{"199.170.183.28", "199.170.183.71"}, []string{"199.170.183.29"}},
		{"::1,127.0.0.1", []string{"::1", "127.0.0.1"}, []string{"::", "::2", "127.0.0.2"}},
		{"::ffff:10.0.0.1", []string{"10.0.0.1", "::ffff:10.0.0.1"}, []string{"10.0.0.2", "::a00:1"}},

		// Limits of ranges: the last before, the first, the last and the first after.
		{"10.1.2.0/24", []string{"10.1.2.0", "10.1.2.255", "::ffff:10.1.2.255"}, []string{"10.1.1.255", "10.1.3.0", "::ffff:10.1.3.0"}},
		{"10.0.0.8/29", []string{"10.0.0.8", "10.0.0.15"}, []string{"10.0.0.7", "10.0.0.16"}},
		{"10.0.0.1/31", []string{"10.0.0.0", "10.0.0.1"}, []string{"9.255.255.255", "10.0.0.2"}},
		{"10.0.0.1/32", []string{"10.0.0.1"}, []string{"10.0.0.0", "10.0.0.2"}},
		{"0.0.0.0/0", []string{"0.0.0.0", "255.255.255.255", "::ffff:1.2.3.4"}, []string{"::", "::1", "::102:304"}},
		{"128.0.0.0/1", []string{"128.0.0.0", "255.255.255.255"}, []string{"127.255.255.255"}},
		{"2001:db8::/32", []string{"2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"}, []string{"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"}},
		{"2001:db8::4/127", []string{"2001:db8::4", "2001:db8::5"}, []string{"2001:db8::3", "2001:db8::6"}},
		{"::/0", []string{"::", "::1", "ffff::"}, []string{"1.2.3.4", "::ffff:1.2.3.4"}},
		{"::ffff:10.0.0.0/104", []string{"10.0.0.0", "10.255.255.255"}, []string{"9.255.255.255", "11.0.0.0"}},
		{"::ffff:0:0/96", []string{"0.0.0.0", "255.255.255.255"}, []string{"::1"}},

		// An implementation that compares 12 of the 16 bytes takes a neighbour in the same /96 for the host.
		{"2001:db8::1:2:3:4", []string{"2001:db8::1:2:3:4"}, []string{"2001:db8::1:2:3:5", "2001:db8::1:2:4:4", "2001:db8::1:2:ffff:ffff"}},

		// A zone is this machine's name of an interface.
		{"fe80::1", []string{"fe80::1", "fe80::1%eth0"}, []string{"fe80::2%eth0"}},
		{"fe80::/10", []string{"fe80::1%eth0", "febf::1%eth1"}, []string{"fec0::1"}},
	}
	for _, tt := range tests {
		t.Run(tt.list, func(t *testing.T) {
			allow, err := listen.ParseAllow(tt.list)
			if err != nil {
				t.Fatal(err)
			}
			for _, peer := range tt.yes {
				if !allow.Permits(tcpPeer(peer)) {
					t.Errorf("%s is refused", peer)
				}
			}
			for _, peer := range tt.no {
				if allow.Permits(tcpPeer(peer)) {
					t.Errorf("%s is permitted", peer)
				}
			}
		})
	}
}

// peersWithoutIP are addresses that no list can hold.
var peersWithoutIP = []net.Addr{
	&net.UnixAddr{Name: "/run/s", Net: "unix"},
	&net.UnixAddr{Name: "", Net: "unix"},
	&net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1},
	&net.TCPAddr{},
	(*net.TCPAddr)(nil),
	nil,
}

// A46: with a list, Unix peers are refused.
func TestAllowPermitsNoIP(t *testing.T) {
	allow, err := listen.ParseAllow("127.0.0.1,0.0.0.0/0,::/0")
	if err != nil {
		t.Fatal(err)
	}
	for _, addr := range peersWithoutIP {
		if allow.Permits(addr) {
			t.Errorf("%T %v is permitted", addr, addr)
		}
	}
}

// A blank list is no list.
func TestAllowBlank(t *testing.T) {
	for _, s := range []string{"", " ", "\t\n"} {
		allow, err := listen.ParseAllow(s)
		if allow != nil || err != nil {
			t.Errorf("ParseAllow(%q) = %v, %v; want nil, nil", s, allow, err)
		}
		for _, addr := range append(peersWithoutIP, tcpPeer("192.0.2.1")) {
			if !allow.Permits(addr) {
				t.Errorf("without a list, %T %v is refused", addr, addr)
			}
		}
	}
}

// A46: a malformed list fails closed. The good part of it does not count.
func TestAllowMalformed(t *testing.T) {
	for _, element := range []string{
		"", "localhost", "127.0.0", "127.0.0.1.1", "127.0.0.256", "127.0.0.01", "0x7f.0.0.1", "2130706433", "127.0.0.1:80", "[::1]",
		"10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/08", "10.0.0/24", "10.0.0.0/255.0.0.0", "10.0.0.1-10.0.0.9", "*",
		"::1/129", ":::1", "12345::", "fe80::1%eth0", "fe80::%eth0/64", "::ffff:10.0.0.0/95", "::ffff:0:0/0", "127.0.0.1;10.0.0.1",
		"127.0.0.1 10.0.0.1", "unix",
	} {
		for _, list := range []string{element + ",127.0.0.1", "127.0.0.1," + element, "127.0.0.1," + element + ",::1"} {
			allow, err := listen.ParseAllow(list)
			if err == nil || !strings.HasPrefix(err.Error(), "fastcgi: ") {
				t.Errorf("ParseAllow(%q): error %v", list, err)
			}
			if allow.Permits(tcpPeer("127.0.0.1")) || allow.Permits(tcpPeer("::1")) {
				t.Errorf("ParseAllow(%q) permits", list)
			}
		}
	}
}

func TestAllowZeroValue(t *testing.T) {
	if new(listen.Allow).Permits(tcpPeer("127.0.0.1")) {
		t.Error("an empty list permits")
	}
}
