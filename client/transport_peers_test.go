package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

// serveOurs serves handler with this module and returns the address.
func serveOurs(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ours.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(handler), ErrorLog: slog.New(slog.DiscardHandler)}
	var served sync.WaitGroup
	served.Go(func() { srv.Serve(l) })
	t.Cleanup(func() {
		srv.Close()
		served.Wait()
	})
	return "unix:" + path
}

// site is an application that browsers would know.
func site(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/echo":
		w.Header().Set("X-Method", r.Method)
		// Without a WriterTo, of which net/http/fcgi has one for all empty bodies.
		io.Copy(w, struct{ io.Reader }{r.Body})
	case "/move":
		http.Redirect(w, r, "/echo", http.StatusPermanentRedirect)
	case "/see":
		http.Redirect(w, r, "/echo", http.StatusSeeOther)
	case "/length":
		body, err := io.ReadAll(r.Body)
		fmt.Fprint(w, r.ContentLength, len(body), err)
	case "/large":
		w.Header().Set("Content-Length", fmt.Sprint(len(long)))
		io.WriteString(w, long)
	default:
		http.NotFound(w, r)
	}
}

// What http.Client does with a web server, it does with an application: against this module, and that of the standard
// library, directly and through a proxy.
func TestTransportPeers(t *testing.T) {
	for name, addr := range map[string]string{"ours": serveOurs(t, site), "net/http/fcgi": serveStandard(t, site)} {
		c := &client.Client{Addr: addr, KeepConn: true, MaxIdle: 20}
		transport := &client.Transport{Client: c, ErrorLog: slog.New(slog.DiscardHandler)}
		front := proxy(t, transport)
		t.Cleanup(func() { c.Close() })
		for through, base := range map[string]struct {
			client *http.Client
			url    string
		}{"directly": {&http.Client{Transport: transport, Timeout: patience}, "http://app.example"}, "through a proxy": {front.Client(), front.URL}} {
			t.Run(name+" "+through, func(t *testing.T) {
				var all sync.WaitGroup
				for i := range 6 {
					all.Go(func() { browse(t, base.client, base.url, strings.Repeat("x", i*20000)) })
				}
				all.Wait()
				base.client.CloseIdleConnections()
			})
		}
	}
}

const patience = 20 * time.Second

// browse does what clients do, with a body.
func browse(t *testing.T, c *http.Client, url, body string) {
	for _, tt := range []struct {
		method, path, body string
		chunked            bool
		status             int
		want               string
	}{
		{"GET", "/echo", "", false, 200, ""},
		{"POST", "/echo", body, false, 200, body},
		{"PUT", "/echo", body, true, 200, body},
		{"HEAD", "/large", "", false, 200, ""},
		{"GET", "/large", "", false, 200, long},
		{"GET", "/none", "", false, 404, "404 page not found\n"},
		{"POST", "/move", body, false, 200, body}, // the body is sent again: GetBody
		{"POST", "/see", body, false, 200, ""},
		{"POST", "/length", body, false, 200, fmt.Sprint(len(body), len(body), nil)},
		{"POST", "/length", body, true, 200, fmt.Sprint(len(body), len(body), nil)},
	} {
		var reader io.Reader = strings.NewReader(tt.body)
		if tt.chunked {
			reader = io.MultiReader(reader)
		}
		r := request(t, tt.method, url+tt.path, reader)
		r.Header.Set("Expect", "100-continue")
		resp, err := c.Do(r)
		if err != nil {
			t.Error(err)
			return
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if string(got) != tt.want || resp.StatusCode != tt.status || err != nil {
			t.Errorf("%s %s: status %d, %q, want %q, %v", tt.method, tt.path, resp.StatusCode, clip(string(got)), clip(tt.want), err)
		}
	}
}

// Scripts of PHP, by their paths, behind a proxy that collects bodies.
func TestTransportFPM(t *testing.T) {
	root := t.TempDir()
	for name, code := range map[string]string{
		"index.php": `echo "front ", $_SERVER["REQUEST_URI"];`,
		"post.php":  `echo $_SERVER["PATH_INFO"], " ", strlen(file_get_contents("php://input")), " ", $_POST["a"] ?? "";`,
		"move.php":  `header("Location: /post.php/moved", true, 307);`,
	} {
		if err := os.WriteFile(filepath.Join(root, name), []byte("<?php "+code), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := &client.Client{Addr: fpm.Start(t), KeepConn: true, MaxConns: 2}
	defer c.Close()
	transport := &client.Transport{Client: c, Root: root, Extension: ".php", FrontController: "/index.php", CollectBody: true, SpoolMemory: 1000}
	front := proxy(t, transport)
	for _, base := range []string{"http://app.example", front.URL} {
		h := front.Client()
		if base != front.URL {
			h = &http.Client{Transport: transport}
		}
		for _, tt := range []struct{ method, path, body, want string }{
			{"GET", "/any/where?x", "", "front /any/where?x"},
			{"POST", "/post.php/info", "a=" + strings.Repeat("b", 3000), "/info 3002 " + strings.Repeat("b", 3000)},
			{"POST", "/move.php", "a=c", "/moved 3 c"},
			{"HEAD", "/post.php", "", ""},
		} {
			r := request(t, tt.method, base+tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			resp, err := h.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if string(got) != tt.want || resp.StatusCode != 200 || err != nil {
				t.Errorf("%s %s: status %d, %q, %v", tt.method, tt.path, resp.StatusCode, clip(string(got)), err)
			}
		}
	}
}

// talk changes the protocol, and then echoes what it hears, in capitals, to the end.
func talk(w http.ResponseWriter, r *http.Request) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: "+r.Header.Get("Upgrade")+"\r\nX-A: b\r\n\r\n")
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		io.WriteString(conn, strings.ToUpper(line))
	}
}

func askTalk(t *testing.T, url string) *http.Request {
	r := request(t, "GET", url, nil)
	r.Header.Set("Connection", "Upgrade")
	r.Header.Set("Upgrade", "talk")
	return r
}

// An application that hijacks has a connection with the client of a proxy, of which each side may end its own direction.
func TestTransportUpgradeThroughProxy(t *testing.T) {
	c := &client.Client{Addr: serveOurs(t, talk), KeepConn: true}
	defer c.Close()
	front := proxy(t, &client.Transport{Client: c})
	for range 3 {
		conn, err := net.Dial("tcp", front.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(patience))
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n")
		in := bufio.NewReader(conn)
		resp, err := http.ReadResponse(in, nil)
		if err != nil || resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "talk" || resp.Header.Get("X-A") != "b" {
			t.Fatalf("%+v, %v", resp, err)
		}
		for _, say := range []string{"hello\n", strings.Repeat("x", 100000) + "\n"} {
			go io.WriteString(conn, say)
			if got, err := in.ReadString('\n'); got != strings.ToUpper(say) || err != nil {
				t.Fatalf("heard %q, %v", clip(got), err)
			}
		}
		conn.(*net.TCPConn).CloseWrite()
		if rest, err := io.ReadAll(in); len(rest) > 0 || err != nil {
			t.Errorf("then %q, %v", rest, err)
		}
	}
}

// The same without a proxy, and what ends such a connection.
func TestTransportUpgrade(t *testing.T) {
	c := &client.Client{Addr: serveOurs(t, talk), KeepConn: true}
	defer c.Close()
	h := &http.Client{Transport: &client.Transport{Client: c}}
	open := func(ctx context.Context) (io.ReadWriteCloser, *bufio.Reader) {
		resp, err := h.Do(askTalk(t, "http://a/").WithContext(ctx))
		if err != nil {
			t.Fatal(err)
		}
		conn, ok := resp.Body.(io.ReadWriteCloser)
		if !ok || resp.StatusCode != 101 || resp.Header.Get("Connection") != "Upgrade" {
			t.Fatalf("%T, %+v", resp.Body, resp)
		}
		io.WriteString(conn, "")
		io.WriteString(conn, "hello\n")
		in := bufio.NewReader(conn)
		if got, err := in.ReadString('\n'); got != "HELLO\n" || err != nil {
			t.Fatalf("heard %q, %v", got, err)
		}
		return conn, in
	}
	t.Run("its end of writing", func(t *testing.T) {
		conn, in := open(t.Context())
		defer conn.Close()
		conn.(interface{ CloseWrite() error }).CloseWrite()
		if _, err := in.ReadByte(); err != io.EOF {
			t.Errorf("read %v", err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("it can still be written to")
		}
	})
	t.Run("Close", func(t *testing.T) {
		conn, in := open(t.Context())
		conn.Close()
		if _, err := in.ReadByte(); !errors.Is(err, http.ErrBodyReadAfterClose) {
			t.Errorf("read %v", err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("it can still be written to")
		}
	})
	t.Run("the context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		conn, in := open(ctx)
		defer conn.Close()
		cause := errors.New("enough of it")
		cancel(cause)
		if _, err := in.ReadByte(); !errors.Is(err, cause) {
			t.Errorf("read %v", err)
		}
		if _, err := conn.Write([]byte("x")); err == nil {
			t.Error("it can still be written to")
		}
	})
}

// An application that declines gets the end of STDIN, and its connection is kept; one that says 101 without being asked, or
// without saying to what, has failed.
func TestTransportUpgradeDeclined(t *testing.T) {
	stdinEnds := make(chan bool, 1)
	transport := newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) {
		for r := a.Begin(); r != nil; r = a.Begin() {
			if r.Params["CONTENT_LENGTH"] != "0" || r.Params["HTTP_UPGRADE"] != "talk" {
				t.Errorf("params %v", r.Params)
			}
			a.Say(r.Stdout("Status: 200\nContent-Length: 2\n\nno"))
			ev, err := a.Next()
			a.Say(r.Answer(""))
			stdinEnds <- err == nil && ev.End
		}
	})
	for range 3 {
		resp, body, err := roundTrip(transport, askTalk(t, "http://h/"))
		if ends := <-stdinEnds; err != nil || body != "no" || !ends {
			t.Fatalf("%v, %q, %v, STDIN ends: %v", resp, body, err, ends)
		}
	}
	transport = newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) {
		for r := a.Begin(); r != nil; r = nil {
			a.Say(r.Stdout("Status: 101\nContent-Type: a/b\n\n"))
		}
	})
	if resp, err := transport.RoundTrip(askTalk(t, "http://h/")); resp != nil || err == nil {
		t.Errorf("101 without Upgrade: %v, %v", resp, err)
	}
	transport.NoUpgrade = true
	if resp, err := transport.RoundTrip(askTalk(t, "http://h/")); resp != nil || err == nil {
		t.Errorf("101 without being asked: %v, %v", resp, err)
	}
}

// A request whose kept connection turns out to be dead is sent again with its body, which GetBody makes anew.
func TestTransportRepeats(t *testing.T) {
	for name, transport := range map[string]*client.Transport{"short": {}, "long": {}, "collected": {CollectBody: true}, "on disk": {CollectBody: true, SpoolMemory: 1}} {
		t.Run(name, func(t *testing.T) {
			want := "hello"
			if name == "long" {
				want = long
			}
			var conns atomic.Int32
			newTransport(t, transport, func(a *fakeapp.Conn) {
				n := conns.Add(1)
				if r := a.Request(); r != nil {
					a.Say(r.Answer("Status: 200\n\n" + r.Stdin))
				}
				if n == 1 {
					a.Begin() // and closes
				}
			})
			for i := range 2 {
				// A GET with a body may be asked twice.
				r := request(t, "GET", "http://h/", strings.NewReader(want))
				if resp, body, err := roundTrip(transport, r); body != want || err != nil {
					t.Errorf("request %d: %v, %q, %v", i, resp, clip(body), err)
				}
			}
			if n := conns.Load(); n != 2 {
				t.Errorf("%d connections", n)
			}
		})
	}
}

// A slow uploader holds no worker: the application is asked once all is there.
func TestTransportCollects(t *testing.T) {
	asked := make(chan bool, 1)
	transport := newTransport(t, &client.Transport{CollectBody: true}, func(a *fakeapp.Conn) {
		if r := a.Request(); r != nil {
			asked <- true
			a.Say(r.Answer("Status: 200\n\n" + r.Stdin))
		}
	})
	front := proxy(t, transport)
	conn, err := net.Dial("tcp", front.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(patience))
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhe")
	select {
	case <-asked:
		t.Error("the application is asked before the body is there")
	case <-time.After(20 * time.Millisecond): // an early question would likely be here by now
	}
	io.WriteString(conn, "llo")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); string(body) != "hello" || err != nil {
		t.Errorf("%q, %v", body, err)
	}
}

// A client of the proxy that goes away ends the request at the application.
func TestTransportProxyClientGone(t *testing.T) {
	begun, ended := make(chan bool), make(chan error, 1)
	transport := newTransport(t, &client.Transport{}, func(a *fakeapp.Conn) {
		r := a.Request()
		a.Say(r.Stdout("Status: 200\n\nhello"))
		<-begun
		ended <- a.AwaitClose()
	})
	front := proxy(t, transport)
	resp, err := front.Client().Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	begun <- true
	resp.Body.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Statuses through a proxy with StatusOf.
func TestTransportProxyStatus(t *testing.T) {
	c := &client.Client{Addr: "unix:/nowhere"}
	c.Close()
	front := proxy(t, &client.Transport{Client: c, Prefix: "/app"})
	for path, want := range map[string]int{"/": 404, "/app": 503, "/app/%0a": 400} {
		w := httptest.NewRecorder()
		front.Config.Handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: status %d, want %d", path, w.Code, want)
		}
	}
}

// A conversation through a proxy: each side hears the other before it goes on.
func TestTransportProxyFullDuplex(t *testing.T) {
	transport := newTransport(t, &client.Transport{StreamBody: true}, func(a *fakeapp.Conn) {
		r := a.Begin()
		a.Say(r.Stdout("Content-Type: a/b\n\n"))
		for ev, err := a.Next(); err == nil && !ev.End; ev, err = a.Next() {
			a.Say(r.Stdout(string(ev.Data)))
		}
		a.Say(r.Answer(""))
	})
	behind := proxy(t, transport)
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		behind.Config.Handler.ServeHTTP(w, r)
	}))
	defer front.Close()
	ours, theirs := io.Pipe()
	resp, err := front.Client().Do(request(t, "POST", front.URL, ours))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 10)
	for _, piece := range []string{"a", "bc", "d"} {
		io.WriteString(theirs, piece)
		if n, err := io.ReadFull(resp.Body, buf[:len(piece)]); string(buf[:n]) != piece || err != nil {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
	}
	theirs.Close()
	if rest, err := io.ReadAll(resp.Body); len(rest) > 0 || err != nil {
		t.Errorf("then %q, %v", rest, err)
	}
}
