package address_test

import (
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/address"
	"github.com/simple-fastcgi/fastcgi/internal/address/addresstest"
)

func TestTaken(t *testing.T) {
	for _, tt := range addresstest.Taken {
		a, err := address.Parse(tt.Addr)
		if err != nil {
			t.Error(err)
			continue
		}
		if secure := strings.HasPrefix(tt.Full, "tls:"); a.TLS() != secure {
			t.Errorf("%q has TLS: %v", tt.Addr, a.TLS())
		}
		if a.Network() != tt.Network || a.Name() != tt.Name || a.String() != tt.Full {
			t.Errorf("%q is %q, for package net %q %q; want %q, %q %q",
				tt.Addr, a, a.Network(), a.Name(), tt.Full, tt.Network, tt.Name)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, tt := range addresstest.Refused {
		a, err := address.Parse(tt.Addr)
		if err == nil {
			t.Errorf("%q is taken for %q", tt.Addr, a)
		} else if text := err.Error(); !strings.HasPrefix(text, "fastcgi: ") || !strings.Contains(text, tt.Says) {
			t.Errorf("%q: %v; want %q in it", tt.Addr, err, tt.Says)
		}
	}
}

func TestKinds(t *testing.T) {
	for addr, want := range map[string]address.Kind{
		"": address.Inherited, "/s": address.Unix, "unix:@s": address.Unix, ":9": address.TCP, "fd:7": address.Descriptor,
	} {
		a, err := address.Parse(addr)
		if err != nil || a.Kind() != want {
			t.Errorf("%q is of kind %d, %v; want %d", addr, a.Kind(), err, want)
		}
		if abstract := addr == "unix:@s"; a.IsAbstract() != abstract {
			t.Errorf("%q: abstract is %v", addr, a.IsAbstract())
		}
		if want == address.Descriptor && a.FD() != 7 {
			t.Errorf("%q is descriptor %d", addr, a.FD())
		}
	}
}

// A path has a NUL behind it, and the name of an abstract socket has one before it, in place of the @.
func TestPathLength(t *testing.T) {
	path := len(syscall.RawSockaddrUnix{}.Path) - 1
	for _, tt := range []struct {
		name string
		ok   bool
	}{
		{"/" + strings.Repeat("x", path-2), true},
		{"/" + strings.Repeat("x", path-1), true},
		{"/" + strings.Repeat("x", path), false},
		{"@" + strings.Repeat("x", path-1), true},
		{"@" + strings.Repeat("x", path), true},
		{"@" + strings.Repeat("x", path+1), false},
	} {
		_, err := address.Parse("unix:" + tt.name)
		if (err == nil) != tt.ok || err != nil && !strings.Contains(err.Error(), "choose a shorter one") {
			t.Errorf("%d bytes, the first of them %q: %v", len(tt.name), tt.name[0], err)
		}
		if tt.ok && (tt.name[0] != '@' || runtime.GOOS == "linux") {
			bindable(t, tt.name)
		}
	}
}

// bindable checks that the system takes a path for a socket, which is then absent or in a place where we may not write.
func bindable(t *testing.T, name string) {
	t.Helper()
	_, err := net.Dial("unix", name)
	if err == nil || strings.Contains(err.Error(), syscall.EINVAL.Error()) {
		t.Errorf("the system says of a name of %d bytes: %v", len(name), err)
	}
}

func TestTarget(t *testing.T) {
	for _, tt := range []struct{ addr, says string }{
		{"/run/app.sock", ""},
		{":9000", ""},
		{"tls:localhost:9000", ""},
		{"tls:localhost:0", "port 0"},
		{"", "the address is empty"},
		{"fd:0", "cannot be dialled"},
		{"127.0.0.1:0", "port 0"},
		{"tcp::00", "port 0"},
	} {
		a, err := address.Parse(tt.addr)
		if err != nil {
			t.Fatal(err)
		}
		network, name, err := a.Target()
		switch {
		case tt.says == "" && (err != nil || network != a.Network() || name != a.Name()):
			t.Errorf("%q is dialled as %q %q, %v", tt.addr, network, name, err)
		case tt.says != "" && (err == nil || !strings.HasPrefix(err.Error(), "fastcgi: ") || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%q: %v; want %q in it", tt.addr, err, tt.says)
		}
	}
}

func TestAbstractElsewhere(t *testing.T) {
	a, err := address.Parse("unix:@app")
	if err != nil {
		t.Fatal(err)
	}
	err = a.Available()
	if runtime.GOOS == "linux" {
		if err != nil {
			t.Error(err)
		}
	} else if err == nil || !strings.Contains(err.Error(), "write unix:/path") {
		t.Errorf("an abstract socket on %s: %v", runtime.GOOS, err)
	}
}

// The pages of the packages list the forms that there are: the one that listens all, the one that dials those.
func TestFormsAreDocumented(t *testing.T) {
	for _, tt := range []struct{ file, prefix string }{
		{"doc.go", "//\t"},
		{"../../listen.go", "//\t"},
		{"../../client/doc.go", "//\t"},
	} {
		text, err := os.ReadFile(tt.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []string{"unix:/path or /path ", "unix:@name ", "tcp:host:port, host:port or :port ", "tls:host:port "} {
			if !strings.Contains(string(text), "\n"+tt.prefix+form) {
				t.Errorf("%s does not list %s", tt.file, form)
			}
		}
		if lists := strings.Contains(string(text), "\n"+tt.prefix+"fd:N "); lists == strings.Contains(tt.file, "client") {
			t.Errorf("%s lists fd:N: %v", tt.file, lists)
		}
	}
}

// What an address prints is the same address, the errors are ours, and what it says to package net, that takes.
func FuzzParse(f *testing.F) {
	for _, tt := range addresstest.Taken {
		f.Add(tt.Addr)
	}
	for _, tt := range addresstest.Refused {
		f.Add(tt.Addr)
	}
	f.Fuzz(func(t *testing.T, addr string) {
		a, err := address.Parse(addr)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "fastcgi: ") || a != (address.Address{}) {
				t.Errorf("%q: %v, along with %q", addr, err, a)
			}
			if strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' }) {
				t.Errorf("%q: the error has a control character: %q", addr, err)
			}
			return
		}
		again, err := address.Parse(a.String())
		if err != nil || again != a {
			t.Fatalf("%q prints as %q, which is %q, %v", addr, a, again, err)
		}
		switch a.Kind() {
		case address.Unix:
			if u, err := net.ResolveUnixAddr(a.Network(), a.Name()); err != nil || u.Name != a.Name() {
				t.Errorf("%q is for package net %v, %v", addr, u, err)
			}
		case address.TCP:
			checkTCP(t, a)
		}
	})
}

// checkTCP checks what can be without asking a resolver.
func checkTCP(t *testing.T, a address.Address) {
	t.Helper()
	host, port, err := net.SplitHostPort(a.Name())
	if err != nil {
		t.Fatalf("%q: %v", a, err)
	}
	if strings.Trim(port, "0123456789") != "" {
		return
	}
	if host != "" && net.ParseIP(host) == nil {
		host = "127.0.0.1"
	}
	if strings.Contains(host, ":") == (a.Network() == "tcp4") && a.Network() != "tcp" {
		return
	}
	if _, err := net.ResolveTCPAddr(a.Network(), net.JoinHostPort(host, port)); err != nil {
		t.Errorf("%q: %v", a, err)
	}
}
