package listen_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

// FuzzParseAllow holds lists against an oracle that shares no step with the code but netip's reading of an element:
// it compares bit by bit, in the 128 bits of IPv6, where IPv4 is ::ffff:0:0/96.
//
// The invariants: the two agree on what is malformed and on who is permitted; a malformed list permits nobody; an
// IPv4 peer is judged alike in both its forms.
func FuzzParseAllow(f *testing.F) {
	for _, list := range []string{
		"", " , ", "127.0.0.1", "127.0.0.1,", "::1, 10.0.0.0/8", "2001:db8::1:2:3:4", "::ffff:10.0.0.0/104", "::ffff:10.0.0.0/95",
		"0.0.0.0/0", "::/0", "fe80::1%eth0", "10.1.2.3/12", "10.0.0.0/33", "255.255.255.255/1",
	} {
		f.Add(list, netip.MustParseAddr("10.0.0.1").AsSlice())
		f.Add(list, netip.MustParseAddr("2001:db8::1:2:3:5").AsSlice())
	}
	f.Fuzz(func(t *testing.T, list string, ip []byte) {
		peer, ok := netip.AddrFromSlice(ip)
		if !ok {
			return
		}
		allow, err := listen.ParseAllow(list)
		want, valid := oraclePermits(list, peer)
		if valid != (err == nil) {
			t.Fatalf("ParseAllow(%q): %v; the oracle says valid is %v", list, err, valid)
		}
		for _, form := range []netip.Addr{peer, peer.Unmap(), netip.AddrFrom16(peer.As16())} {
			if got := allow.Permits(tcpPeer(form.String())); got != want {
				t.Errorf("ParseAllow(%q) permits %v: %v, want %v", list, form, got, want)
			}
		}
	})
}

// oraclePermits says whether list is valid and whether peer is on it. An invalid list permits nobody, and a blank one
// everybody.
func oraclePermits(list string, peer netip.Addr) (permits, valid bool) {
	if strings.TrimSpace(list) == "" {
		return true, true
	}
	for _, element := range strings.Split(list, ",") {
		network, bits, ok := oracleRange(strings.TrimSpace(element))
		if !ok {
			return false, false
		}
		permits = permits || commonBits(network, peer.As16()) >= bits && isIPv4(network) == isIPv4(peer.As16())
	}
	return permits, true
}

// oracleRange is an element as 128 bits of which the first so many count.
func oracleRange(element string) (network [16]byte, bits int, ok bool) {
	text, _, isRange := strings.Cut(element, "/")
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return network, 0, false
	}
	bits = 128
	if isRange {
		prefix, err := netip.ParsePrefix(element)
		if err != nil {
			return network, 0, false
		}
		bits = prefix.Bits()
		if addr.Is4() {
			bits += 96
		}
	}
	return addr.As16(), bits, bits >= 96 || !addr.Is4In6()
}

func isIPv4(ip [16]byte) bool {
	return commonBits(ip, netip.MustParseAddr("::ffff:0:0").As16()) >= 96
}

// commonBits counts the leading bits in which a and b agree.
func commonBits(a, b [16]byte) int {
	for i := range 128 {
		if mask := byte(0x80) >> (i % 8); a[i/8]&mask != b[i/8]&mask {
			return i
		}
	}
	return 128
}
