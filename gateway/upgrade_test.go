package gateway_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// upgrading serves a gateway in front of an application that changes to another protocol, and then does talk.
func upgrading(t *testing.T, h *gateway.Handler, talk func(net.Conn)) (*front, *fastcgi.Server) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "app.sock"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &fastcgi.Server{
		ErrorLog: slog.New(slog.DiscardHandler),
		Handler:  talker(t, talk),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	f := newFront(t, h, "unix:"+l.Addr().String())
	t.Cleanup(func() {
		srv.Close()
		<-served
	})
	return f, srv
}

// talker is an application that changes the protocol if it is asked to.
func talker(t *testing.T, talk func(net.Conn)) fastcgi.Handler {
	return fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") == "" {
			return
		}
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\nX-A: b\r\n\r\n")
		talk(conn)
	}))
}

const askUpgrade = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: talk\r\n\r\n"

// patience is how long anything may take before a test gives up on it.
const patience = 20 * time.Second

// upgrade asks for another protocol, with something said at once, and returns the connection once it may be spoken.
func (f *front) upgrade(t *testing.T, early string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(patience))
	return conn, upgradeOn(t, conn, early)
}

// upgradeOn asks for another protocol on a connection, and returns what reads it from there on.
func upgradeOn(t *testing.T, conn net.Conn, early string) *bufio.Reader {
	t.Helper()
	io.WriteString(conn, askUpgrade+early)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := resp.Header; resp.StatusCode != 101 || got.Get("Upgrade") != "talk" || got.Get("Connection") != "Upgrade" || got.Get("X-A") != "b" {
		t.Fatalf("the response is %+v", resp)
	}
	return in
}

// What either side says reaches the other, to the end of each; the connection to the application is then good for more.
func TestUpgrade(t *testing.T) {
	for _, keep := range []bool{false, true} {
		t.Run(fmt.Sprintf("kept %v", keep), func(t *testing.T) {
			f, srv := upgrading(t, &gateway.Handler{Client: &client.Client{KeepConn: keep}}, func(conn net.Conn) {
				io.Copy(conn, conn)
				io.WriteString(conn, "bye")
			})
			for range 2 {
				conn, in := f.upgrade(t, "early ")
				long := strings.Repeat("0123456789", 100_000)
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					for _, piece := range []string{"a", "b", long} {
						io.WriteString(conn, piece)
					}
					conn.(*net.TCPConn).CloseWrite()
				}()
				got, err := io.ReadAll(in)
				if want := "early ab" + long + "bye"; string(got) != want || err != nil {
					t.Errorf("got %d bytes, %v, want %d", len(got), err, len(want))
				}
				<-sent
			}
			if resp, _ := f.get(t, "/"); resp.StatusCode != 200 {
				t.Errorf("afterwards: status %d", resp.StatusCode)
			}
			if conns := srv.Stats().Conns; keep && conns != 1 || !keep && conns != 3 {
				t.Errorf("%d connections to the application", conns)
			}
		})
	}
}

// It works over TLS, whose own goodbye stands for the end of what the client says.
func TestUpgradeOverTLS(t *testing.T) {
	h := &gateway.Handler{}
	upgrading(t, h, func(conn net.Conn) {
		io.Copy(conn, conn)
		io.WriteString(conn, "bye")
	})
	web := httptest.NewTLSServer(h)
	t.Cleanup(web.Close)
	conn, err := tls.Dial("tcp", web.Listener.Addr().String(), &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, askUpgrade)
	in := bufio.NewReader(conn)
	if resp, err := http.ReadResponse(in, nil); err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v, %v", resp, err)
	}
	io.WriteString(conn, "hello, ")
	conn.CloseWrite()
	if got, err := io.ReadAll(in); string(got) != "hello, bye" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// What the gateway's own server was told to say with every response goes with this one, too, and the request's context
// ends it.
func TestUpgradeInMiddleware(t *testing.T) {
	h := &gateway.Handler{}
	upgrading(t, h, func(conn net.Conn) { io.Copy(io.Discard, conn) })
	ctx, cancel := context.WithCancel(t.Context())
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Front", "1")
		h.ServeHTTP(w, r.WithContext(ctx))
	}))
	t.Cleanup(web.Close)
	conn, err := net.Dial("tcp", web.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, askUpgrade)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil || resp.StatusCode != 101 || resp.Header.Get("X-Front") != "1" || resp.Header.Get("X-A") != "b" {
		t.Fatalf("%v, %v", resp, err)
	}
	cancel()
	if got, err := io.ReadAll(in); len(got) > 0 || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// A client that goes on talking to an application that has hung up gets to know its last words.
func TestUpgradeLastWords(t *testing.T) {
	f, _ := upgrading(t, &gateway.Handler{}, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 1))
		io.WriteString(conn, "enough")
	})
	conn, in := f.upgrade(t, "")
	io.WriteString(conn, strings.Repeat("x", 100_000))
	if got, err := io.ReadAll(in); string(got) != "enough" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

// Who is cut off learns that the other was.
func TestUpgradeAbort(t *testing.T) {
	t.Run("client", func(t *testing.T) {
		read := make(chan error, 1)
		f, _ := upgrading(t, &gateway.Handler{}, func(conn net.Conn) {
			_, err := conn.Read(make([]byte, 1))
			read <- err
		})
		conn, _ := f.upgrade(t, "")
		conn.(*net.TCPConn).SetLinger(0)
		conn.Close()
		if err := <-read; !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, fastcgi.ErrDisconnected) {
			t.Errorf("the application read %v", err)
		}
		if log := f.log.String(); strings.Contains(log, "ERROR") {
			t.Errorf("log: %s", log)
		}
	})
	t.Run("client, while the application talks", func(t *testing.T) {
		written := make(chan error, 1)
		f, _ := upgrading(t, &gateway.Handler{}, func(conn net.Conn) {
			var err error
			for err == nil {
				_, err = conn.Write(make([]byte, 1000))
			}
			written <- err
		})
		conn, _ := f.upgrade(t, "")
		conn.Close()
		if err := <-written; !errors.Is(err, fastcgi.ErrDisconnected) {
			t.Errorf("the application wrote until %v", err)
		}
	})
	t.Run("application", func(t *testing.T) {
		talking, cut := make(chan struct{}), make(chan struct{})
		f, srv := upgrading(t, &gateway.Handler{}, func(conn net.Conn) {
			close(talking)
			<-cut
		})
		_, in := f.upgrade(t, "")
		<-talking
		srv.Close()
		if got, err := io.ReadAll(in); len(got) > 0 || errors.Is(err, net.ErrClosed) {
			t.Errorf("got %q, %v", got, err)
		}
		close(cut)
	})
}

// Every listener keeps it, by the clock on the wall: see TestUpgradeIdleTimeout.
func TestUpgradeIdleTimeoutOnSockets(t *testing.T) {
	read := make(chan error, 1)
	f, _ := upgrading(t, &gateway.Handler{UpgradeIdleTimeout: 20 * time.Millisecond}, func(conn net.Conn) {
		_, err := io.Copy(conn, conn)
		read <- err
	})
	_, in := f.upgrade(t, "")
	if got, err := io.ReadAll(in); len(got) > 0 || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if err := <-read; err == nil {
		t.Error("the application took it for an end")
	}
}

// The application is told of a wish for another protocol if it can be fulfilled, and may decline.
func TestUpgradeOffers(t *testing.T) {
	for _, tt := range []struct {
		name, request string
		noUpgrade     bool
		want          string // HTTP_UPGRADE and CONTENT_LENGTH
	}{
		{"upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n", false, "WebSocket 0"},
		{"lists", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , Upgrade\r\nUpgrade: a, b/1\r\n\r\n", false, "a, b/1 0"},
		{"not wanted", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", true, " "},
		{"no Connection", "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: a\r\n\r\n", false, " "},
		{"no Upgrade", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\n\r\n", false, " "},
		{"HTTP/1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n", false, " "},
		{"HTTP/2", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\n\r\n", false, " "},
		{"HTTP/2 among others", "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a, h2c\r\n\r\n", false, " "},
		{"a body", "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length: 2\r\n\r\nhi", false, " 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := &gateway.Handler{NoUpgrade: tt.noUpgrade}
			f := newFront(t, h, fakeapp.Start(t, func(a *fakeapp.Conn) {
				r := a.Begin()
				a.Say(r.Answer("Status: 200\n\n" + r.Params["HTTP_UPGRADE"] + " " + r.Params["CONTENT_LENGTH"]))
			}))
			conn, err := net.Dial("tcp", f.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(patience))
			io.WriteString(conn, tt.request)
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); string(body) != tt.want || resp.StatusCode != 200 || err != nil {
				t.Errorf("status %d, %q, %v, want %q", resp.StatusCode, body, err, tt.want)
			}
		})
	}
}

// A declined request ends as any other: STDIN with it, and the connection is kept on both sides.
func TestUpgradeDeclined(t *testing.T) {
	h := &gateway.Handler{Client: kept()}
	f := newFront(t, h, fakeapp.Start(t, func(a *fakeapp.Conn) {
		for r := a.Begin(); r != nil; r = a.Begin() {
			a.Say(r.Stdout("Status: 200\nContent-Length: 2\n\nno"))
			for ev, err := a.Next(); err == nil && !ev.End; ev, err = a.Next() {
				t.Errorf("%v %q arrives", ev.Type, ev.Data)
			}
			a.Say(r.Answer(""))
		}
		if a.N > 1 {
			t.Error("another connection")
		}
	}))
	conn, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	in := bufio.NewReader(conn)
	for range 3 {
		io.WriteString(conn, askUpgrade)
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "no" || resp.StatusCode != 200 || resp.Close || err != nil {
			t.Errorf("status %d, %q, %v, close %v", resp.StatusCode, body, err, resp.Close)
		}
	}
}

// PHP, which knows of no upgrades, does not wait for the end of STDIN, either, and its connection is kept.
func TestUpgradeDeclinedByFPM(t *testing.T) {
	f := php(t, map[string]string{"index.php": `header("Content-Type: text/plain"); echo $_SERVER["HTTP_UPGRADE"], file_get_contents("php://input");`})
	for range 3 {
		r := f.request(t, "GET", "/", nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "websocket")
		if resp, body, err := f.do(t, r); err != nil || resp.StatusCode != 200 || body != "websocket" {
			t.Errorf("%v, %q, %v", resp, body, err)
		}
	}
}

// An application that changes the protocol out of turn, or where it cannot be, has failed.
func TestUpgradeFailures(t *testing.T) {
	t.Run("without Upgrade", func(t *testing.T) {
		f := newFront(t, &gateway.Handler{}, fakeapp.Start(t, func(a *fakeapp.Conn) {
			a.Say(a.Begin().Answer("Status: 101\nContent-Type: a/b\n\n"))
		}))
		r := f.request(t, "GET", "/", nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "talk")
		resp, _, err := f.do(t, r)
		if err != nil || resp.StatusCode != 502 {
			t.Errorf("%v, %v", resp, err)
		}
	})
	t.Run("not asked", func(t *testing.T) {
		f := scripted(t, &gateway.Handler{NoUpgrade: true}, func(*fakeapp.Request) string { return "Status: 101\nUpgrade: talk\n\n" })
		if resp, _ := f.get(t, "/"); resp.StatusCode != 502 {
			t.Errorf("status %d", resp.StatusCode)
		}
	})
	t.Run("not possible", func(t *testing.T) {
		h := &gateway.Handler{}
		upgrading(t, h, func(conn net.Conn) { io.Copy(io.Discard, conn) })
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Connection", "Upgrade")
		r.Header.Set("Upgrade", "talk")
		h.ServeHTTP(w, r)
		if w.Code != 502 {
			t.Errorf("status %d", w.Code)
		}
	})
}
