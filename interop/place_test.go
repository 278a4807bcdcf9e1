package interop_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A place is where everything of one test is.
type place struct {
	dir    string // removed at the end
	socket string // of the application
	tcp    string // of the application, where that listens on TCP
	http   string // of the web server
	https  string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	// Not t.TempDir: with the name of a test in it, the path would not fit into a socket's address.
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	// The web server's own user has to get to the socket.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	ports := freePorts(t, 3)
	return &place{
		dir:    dir,
		socket: filepath.Join(dir, "app.sock"),
		tcp:    ports[0],
		http:   ports[1],
		https:  ports[2],
	}
}

// shownHTTPS is where printed configurations listen for HTTPS.
const shownHTTPS = "127.0.0.1:8443"

// fill puts this place into a printed configuration, instead of the one that it shows. These are the only changes that
// a configuration undergoes.
func (p *place) fill(config string) string {
	return strings.NewReplacer(
		"/run/app/app.sock", p.socket,
		"127.0.0.1:9000", p.tcp,
		"127.0.0.1:8080", p.http,
		shownHTTPS, p.https,
		"/etc/ssl/certs/app.pem", p.path("app.pem"),
		"/etc/ssl/private/app.key", p.path("app.key"),
		"/srv/app/files", p.path("files"),
		"192.0.2.10", "127.0.0.1", // a load balancer
	).Replace(config)
}

func (p *place) path(name string) string { return filepath.Join(p.dir, name) }

func (p *place) write(t testing.TB, name, text string) string {
	t.Helper()
	path := p.path(name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// read returns a file's text; nothing if it is not there yet.
func (p *place) read(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(p.path(name))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

// The ports for tests: below those that the kernel gives to clients, so that none of these can have one by the time
// somebody listens; and one after the other, so that no test beside can.
const lowestPort, ports = 10_000, 22_000

var nextPort atomic.Int64

func init() { nextPort.Store(rand.Int64N(ports)) }

// freePorts returns addresses on which nothing listens, as host:port.
func freePorts(t *testing.T, n int) []string {
	t.Helper()
	var addrs []string
	for tries := 0; len(addrs) < n; tries++ {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lowestPort+nextPort.Add(1)%ports))
		switch {
		case err == nil:
			l.Close()
			addrs = append(addrs, l.Addr().String())
		case tries == 1000:
			t.Fatal(err)
		}
	}
	return addrs
}
