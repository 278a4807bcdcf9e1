package client_test

import (
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// What a server listens on, a client dials by the same words.
func TestAddrAsInListen(t *testing.T) {
	t.Chdir(t.TempDir())
	path := t.TempDir() + "/s"
	forms := []string{
		"unix:" + path, path, "unix:relative", "unix:./relative",
		"tcp:127.0.0.1:0", "127.0.0.1:0", "localhost:0", "tcp4:127.0.0.1:0", ":0", "tcp::0",
	}
	if runtime.GOOS == "linux" {
		forms = append(forms, "unix:@fastcgi-client-test")
	}
	for _, addr := range forms {
		t.Run(addr, func(t *testing.T) {
			l, err := fastcgi.Listen(addr, &fastcgi.ListenOptions{AllowAnyAddress: true})
			if err != nil {
				t.Fatal(err)
			}
			served := make(chan struct{})
			go func() {
				defer close(served)
				if nc, err := l.Accept(); err == nil {
					fakeapp.Run(t, nc, 1, number)
				}
			}()
			t.Cleanup(func() { l.Close(); <-served })
			if where, free := strings.CutSuffix(addr, ":0"); free {
				_, port, err := net.SplitHostPort(l.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				addr = where + ":" + port
			}
			c := &client.Client{Addr: addr}
			defer c.Close()
			expect(t, c, get(), "1")
		})
	}
}
