package listen_test

import (
	"io"
	"net"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// refusals collects what Options.Refused is told.
type refusals struct {
	addrs   []string
	reasons []string
}

func (r *refusals) add(addr net.Addr, reason string) {
	r.addrs = append(r.addrs, addr.String())
	r.reasons = append(r.reasons, reason)
}

func mustParse(t *testing.T, list string) *listen.Allow {
	t.Helper()
	allow, err := listen.ParseAllow(list)
	if err != nil {
		t.Fatal(err)
	}
	return allow
}

// wantRefused checks that the next Accept, which Close ends, has closed client and reported it with want.
func wantRefused(t *testing.T, l net.Listener, client net.Conn, told *refusals, want string) {
	t.Helper()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if c, err := l.Accept(); err == nil {
			t.Error("the peer was accepted")
			c.Close()
		}
	}()
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the refused peer reads %v, want EOF", err)
	}
	l.Close()
	<-ended
	if len(told.reasons) != 1 || !strings.Contains(told.reasons[0], want) {
		t.Errorf("reported %q, want one report with %q", told.reasons, want)
	}
}

// A46: the list in FCGI_WEB_SERVER_ADDRS decides who is accepted.
func TestAcceptEnvironmentList(t *testing.T) {
	t.Setenv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1, 192.0.2.0/24")
	l := mustListen(t, "127.0.0.1:0", nil)
	client := dial(t, l)
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", c.RemoteAddr(), client.LocalAddr())
	}
}

// A46: an unlisted peer is closed and reported.
func TestAcceptUnlisted(t *testing.T) {
	t.Setenv("FCGI_WEB_SERVER_ADDRS", "192.0.2.1")
	var told refusals
	l := mustListen(t, "127.0.0.1:0", &listen.Options{Refused: told.add})
	client := dial(t, l)
	wantRefused(t, l, client, &told, "127.0.0.1 is not on the allow-list")
	if told.addrs[0] != client.LocalAddr().String() {
		t.Errorf("reported %s, want %v", told.addrs[0], client.LocalAddr())
	}
}

// A46: with a list, a Unix peer is closed and reported.
func TestAcceptUnixPeerWithList(t *testing.T) {
	t.Setenv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1")
	var told refusals
	l := mustListen(t, "unix:"+t.TempDir()+"/s", &listen.Options{Refused: told.add})
	wantRefused(t, l, dial(t, l), &told, "no IP address")
}

// Two lists are both binding.
func TestAcceptBothLists(t *testing.T) {
	for _, lists := range [][2]string{{"127.0.0.1", "192.0.2.1"}, {"192.0.2.1", "127.0.0.1"}} {
		t.Setenv("FCGI_WEB_SERVER_ADDRS", lists[0])
		var told refusals
		l := mustListen(t, "127.0.0.1:0", &listen.Options{Allow: mustParse(t, lists[1]), Refused: told.add})
		wantRefused(t, l, dial(t, l), &told, "is not on the allow-list")
	}
}

// A46: a malformed list in the environment keeps the program from starting; one whose error the program ignored
// refuses everybody.
func TestAcceptMalformedList(t *testing.T) {
	t.Setenv("FCGI_WEB_SERVER_ADDRS", "127.0.0.1,localhost")
	wantListenError(t, "127.0.0.1:0", nil, `FCGI_WEB_SERVER_ADDRS: "localhost" is neither`)
	t.Setenv("FCGI_WEB_SERVER_ADDRS", "")
	allow, _ := listen.ParseAllow("127.0.0.1,localhost")
	var told refusals
	l := mustListen(t, "127.0.0.1:0", &listen.Options{Allow: allow, Refused: told.add})
	wantRefused(t, l, dial(t, l), &told, "malformed")
}

// A refused peer that never says anything does not hold up the next one.
func TestAcceptPassesOverRefused(t *testing.T) {
	var told refusals
	l := mustListen(t, "127.0.0.1:0", &listen.Options{Allow: mustParse(t, "127.0.0.2"), Refused: told.add})
	const refused = 3
	for range refused {
		dial(t, l)
	}
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	listed, err := from.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		required.Missing(t, "this system has no address 127.0.0.2: %v", err)
	}
	defer listed.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if c.RemoteAddr().String() != listed.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", c.RemoteAddr(), listed.LocalAddr())
	}
	if len(told.addrs) != refused {
		t.Errorf("%d peers reported, want %d", len(told.addrs), refused)
	}
}

// A46: an IPv4 peer of a dual-stack socket is an IPv4 peer.
func TestAcceptMapped(t *testing.T) {
	l := mustListen(t, ":0", &listen.Options{Allow: mustParse(t, "127.0.0.1")})
	client, err := net.Dial("tcp4", net.JoinHostPort("127.0.0.1", port(l)))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func port(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// A driver that accepts on the descriptor itself applies the same rule to what it has: an address and a descriptor.
func TestGuardCheck(t *testing.T) {
	var told refusals
	guard := mustListen(t, "127.0.0.1:0", &listen.Options{Allow: mustParse(t, "192.0.2.1"), Refused: told.add}).Guard()
	if err := guard.Check(tcpPeer("192.0.2.1"), 0); err != nil {
		t.Errorf("a listed peer: %v", err)
	}
	err := guard.Check(tcpPeer("192.0.2.2"), 0)
	if err == nil {
		t.Fatal("an unlisted peer is admitted")
	}
	guard.Report(tcpPeer("192.0.2.2"), err)
	if len(told.addrs) != 1 || told.addrs[0] != "192.0.2.2:40000" {
		t.Errorf("reported %q", told.addrs)
	}
}

// Without a restriction there is no guard, and no guard admits everybody.
func TestGuardNil(t *testing.T) {
	guard := mustListen(t, "127.0.0.1:0", &listen.Options{Refused: func(net.Addr, string) { t.Error("reported") }}).Guard()
	if guard != nil {
		t.Errorf("the guard is %+v, want nil", guard)
	}
	if err := guard.Check(tcpPeer("192.0.2.2"), 0); err != nil {
		t.Error(err)
	}
	guard.Report(tcpPeer("192.0.2.2"), io.EOF)
}

// A connection that has no descriptor cannot be checked, so it is refused.
func TestPermitsWithoutDescriptor(t *testing.T) {
	l := mustListen(t, "127.0.0.1:0", &listen.Options{Allow: mustParse(t, "0.0.0.0/0")})
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if l.Permits(a) == nil {
		t.Error("a pipe is permitted")
	}
}
