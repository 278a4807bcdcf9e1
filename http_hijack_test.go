package fastcgi_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

// httpUpgrade is a request to upgrade, as lighttpd sends it: its input goes on, whatever CONTENT_LENGTH says.
func httpUpgrade(id uint16, more ...string) []byte {
	return start(id, true, httpGet(append([]string{
		"HTTP_CONNECTION", "Upgrade", "HTTP_UPGRADE", "echo", "CONTENT_LENGTH", "0", "SERVER_ADDR", "192.0.2.9", "SERVER_PORT", "80",
	}, more...)...)...)
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"

const switched = "Status: 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\nDate.\r\n"

// hijackers are the two ways to upgrade: the head of the response by hand, or by WriteHeader.
var hijackers = []struct {
	name   string
	hijack func(t *testing.T, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter)
}{
	{"head written", func(t *testing.T, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
		conn, rw := hijack(t, w)
		rw.WriteString(switching)
		rw.Flush()
		return conn, rw
	}},
	{"WriteHeader", func(t *testing.T, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
		w.Header().Set("Upgrade", "echo")
		w.Header().Set("Connection", "Upgrade")
		w.WriteHeader(http.StatusSwitchingProtocols)
		return hijack(t, w)
	}},
}

func hijack(t *testing.T, w http.ResponseWriter) (net.Conn, *bufio.ReadWriter) {
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Errorf("Hijack: %v", err)
		panic(http.ErrAbortHandler)
	}
	return conn, rw
}

// A hijacked connection is STDIN and STDOUT in raw, both at once, and after the handler has returned as before.
func TestHTTPHijack(t *testing.T) {
	for _, way := range hijackers {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/after the handler %v", way.name, later), func(t *testing.T) {
				everywhere(t, func(t *testing.T, p place) {
					done := make(chan struct{})
					web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Header.Get("Upgrade") == "" {
							return
						}
						conn, rw := way.hijack(t, w)
						echo := func() {
							defer close(done)
							defer conn.Close()
							io.Copy(conn, rw)
							io.WriteString(conn, "bye")
						}
						if later {
							go echo()
						} else {
							echo()
						}
					})).dial(t)
					web.send(httpUpgrade(1))
					web.untilStdout(1, "\r\n\r\n")
					sent := ""
					for _, piece := range []string{"a", strings.Repeat("b", 300_000), "\r\n\r\n", "c"} {
						sent += piece
						web.send(stdin(1, piece))
						web.untilStdout(1, "\r\n\r\n"+sent)
					}
					web.send(stdinEnd(1))
					web.answer(1).expectUndated(t, switched+sent+"bye", 0)
					receive(t, done)
					web.ask(2, httpGet()...).expectUndated(t, "Status: 200 OK\r\nContent-Length: 0\r\nDate.\r\n", 0)
				})
			})
		}
	}
}

// What is in the way of an upgrade is said, and the handler can still answer.
func TestHTTPHijackRefused(t *testing.T) {
	for _, tt := range []struct {
		name string
		sent []byte
		want string
	}{
		{"no upgrade", start(1, true, httpGet()...), "no Upgrade field, or the web server takes it out"},
		{"input ended", append(httpUpgrade(1, "SERVER_SOFTWARE", "nginx/1.22.1"), stdinEnd(1)...), "nginx/1.22.1 has ended the input"},
		{"input about to end", httpUpgrade(1, "SERVER_SOFTWARE", "Apache/2.4.62 (Debian)"), "Apache/2.4.62 (Debian) has ended the input"},
		{"input about to end, without a version", httpUpgrade(1, "SERVER_SOFTWARE", "Apache"), "Apache has ended the input"},
		{"input about to end, Caddy", httpUpgrade(1, "SERVER_SOFTWARE", "Caddy/2.6.2"), "Caddy/2.6.2 has ended the input"},
		{
			"filter", slices.Concat(begin(1, fastcgi.RoleFilter, true), params(1, httpGet("HTTP_UPGRADE", "echo")...), paramsEnd(1), stdinEnd(1), dataEnd(1)),
			"the role is FILTER",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				h := fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					w.WriteHeader(http.StatusSwitchingProtocols)
					_, _, err := http.NewResponseController(w).Hijack()
					if !errors.Is(err, http.ErrNotSupported) {
						t.Errorf("the error is %v", err)
					}
					http.Error(w, err.Error(), http.StatusNotImplemented)
				}))
				app := p.serve(t, &fastcgi.Server{Handler: h, Filter: h})
				web := app.dial(t)
				web.send(tt.sent)
				if !bytes.HasSuffix(tt.sent, stdinEnd(1)) && !bytes.HasSuffix(tt.sent, dataEnd(1)) {
					web.untilStdout(1, tt.want)
					web.send(stdinEnd(1)) // or the end of the request would wait for it
				}
				got := web.answer(1)
				if got.status() != http.StatusNotImplemented || !strings.Contains(got.body(), tt.want) || got.end.AppStatus != 0 {
					t.Errorf("got %d %q, %+v", got.status(), got.body(), got.end)
				}
				app.expectLogged(t, "")
			})
		})
	}
}

// Whatever head is written, in whatever pieces, the web server gets one of CGI, or nothing.
func TestHTTPHijackHead(t *testing.T) {
	for _, tt := range []struct {
		name, written, want string
		fails               string
	}{
		{"switching", switching + "more", switched + "more", ""},
		{"after early hints", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + switching, switched, ""},
		{
			"another status", "HTTP/1.1 426 Upgrade Required\r\nUpgrade: echo\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
			"Status: 426 Upgrade Required\r\nContent-Length: 2\r\nUpgrade: echo\r\nDate.\r\nno", "",
		},
		{
			"fields that do not cross", "HTTP/1.1 101 x\r\nStatus: 200\r\nX-A: a\r\nKeep-Alive: 1\r\n\r\n",
			"Status: 101 Switching Protocols\r\nX-A: a\r\nDate.\r\n", "",
		},
		{"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "", "chunked"},
		{"no HTTP", "hello\r\n\r\n", "", "no response head"},
		{"a status of two digits", "HTTP/1.1 099 No\r\n\r\n", "", `status "099 No"`},
		{"a line without a colon", "HTTP/1.1 200 OK\r\nA\r\n\r\n", "", "no response head"},
		{"endless", "HTTP/1.1 200 OK\r\nX-A: " + strings.Repeat("a", 64<<10), "", "64 KiB"},
	} {
		for _, size := range []int{1, 7, 1 << 20} {
			t.Run(fmt.Sprint(tt.name, "/", size), func(t *testing.T) {
				onUnix(t, func(t *testing.T, p place) {
					web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
						conn, _ := hijack(t, w)
						defer conn.Close()
						for piece := range slices.Chunk([]byte(tt.written), size) {
							n, err := conn.Write(piece)
							switch {
							case err == nil && n == len(piece):
							case err == nil || n > 0 || tt.fails == "" || !strings.Contains(err.Error(), tt.fails):
								t.Errorf("Write returned %d, %v", n, err)
								return
							default:
								return
							}
						}
						if tt.fails != "" {
							t.Error("everything was taken")
						}
					})).dial(t)
					web.send(httpUpgrade(1))
					web.answer(1).expectUndated(t, tt.want, 0)
				})
			})
		}
	}
}

// The response writer of a hijacked request is of no more use.
func TestHTTPHijacked(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		app := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _ := hijack(t, w)
			defer conn.Close()
			_, write := io.WriteString(w, "no")
			_, _, again := http.NewResponseController(w).Hijack()
			for _, err := range []error{write, again, http.NewResponseController(w).Flush()} {
				if !errors.Is(err, http.ErrHijacked) {
					t.Errorf("the error is %v", err)
				}
			}
			w.WriteHeader(200)
			if got := conn.RemoteAddr().String() + " " + conn.LocalAddr().String(); got != r.RemoteAddr+" 192.0.2.9:80" {
				t.Errorf("the addresses are %s", got)
			}
			io.WriteString(conn, switching)
		}))
		web := app.dial(t)
		web.send(httpUpgrade(1))
		web.answer(1).expectUndated(t, switched, 0)
		app.expectLogged(t, "WriteHeader on a hijacked connection")
	})
}

// Clients that have no address have one of no use.
func TestHTTPHijackNoAddresses(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _ := hijack(t, w)
			defer conn.Close()
			fmt.Fprintf(conn, "%s%s %s", switching, conn.RemoteAddr(), conn.LocalAddr())
		})).dial(t)
		web.send(httpUpgrade(1, "REMOTE_ADDR", "unix:", "SERVER_ADDR", ""))
		web.answer(1).expectUndated(t, switched+"@ @", 0)
	})
}

// A handler that panics has its connection closed: nobody else may know of it.
func TestHTTPHijackPanic(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		app := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			conn, _ := hijack(t, w)
			io.WriteString(conn, switching+"part")
			panic("oops")
		}))
		web := app.dial(t)
		web.send(httpUpgrade(1))
		web.answer(1).expectUndated(t, switched+"part", 2)
		app.expectLogged(t, "oops")
	})
}

// upgraded returns a hijacked connection whose handler has returned, and the web server at its other end.
func upgraded(t *testing.T, p place) (net.Conn, *web) {
	t.Helper()
	conns := make(chan net.Conn, 1)
	web := p.serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _ := hijack(t, w)
		conns <- conn
	})), WriteTimeout: -1}).dial(t)
	web.send(httpUpgrade(1))
	conn := <-conns
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, switching); err != nil {
		t.Fatal(err)
	}
	web.untilStdout(1, "\r\n\r\n")
	return conn, web
}

// The connection says how the other side went away.
func TestHTTPHijackEnds(t *testing.T) {
	for _, tt := range []struct {
		name string
		end  func(w *web)
		want error
	}{
		{"end of input", func(w *web) { w.send(stdinEnd(1)) }, io.EOF},
		{"abort", func(w *web) { w.send(abort(1)) }, fastcgi.ErrAborted},
		{"half closed", func(w *web) { w.Conn.(interface{ CloseWrite() error }).CloseWrite() }, io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onSockets(t, func(t *testing.T, p place) {
				conn, web := upgraded(t, p)
				web.send(stdin(1, "last words"))
				got := make([]byte, len("last words"))
				if _, err := io.ReadFull(conn, got); err != nil {
					t.Fatal(err)
				}
				tt.end(web)
				if n, err := conn.Read(got); n != 0 || !errors.Is(err, tt.want) {
					t.Errorf("Read returned %d, %v", n, err)
				}
				_, err := io.WriteString(conn, "answer")
				if open := err == nil; open != (tt.want != fastcgi.ErrAborted) {
					t.Errorf("Write returned %v", err)
				}
				conn.Close()
				if got := web.answer(1).body(); err == nil && got != "answer" {
					t.Errorf("the output is %q", got)
				}
			})
		})
	}
}

// Close wakes those who wait, and the connection is closed for good. It says so the second time.
func TestHTTPHijackClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, _ := upgraded(t, inBubble)
		ended := make(chan error, 2)
		go func() {
			_, err := conn.Read(make([]byte, 1))
			ended <- err
		}()
		go func() { ended <- writeForEver(conn) }()
		synctest.Wait()
		if err := conn.Close(); err != nil {
			t.Errorf("Close returned %v", err)
		}
		_, read := conn.Read(make([]byte, 1))
		_, write := conn.Write(make([]byte, 1))
		for _, err := range []error{<-ended, <-ended, read, write, conn.Close(), conn.SetDeadline(time.Time{})} {
			if !errors.Is(err, net.ErrClosed) {
				t.Errorf("the error is %v", err)
			}
		}
	})
}

// The deadlines of the connection wake those who wait on it, at their time.
func TestHTTPHijackDeadlines(t *testing.T) {
	read := func(conn net.Conn) error {
		_, err := conn.Read(make([]byte, 1))
		return err
	}
	write := func(conn net.Conn) error { return writeForEver(conn) }
	for _, tt := range []struct {
		name string
		set  func(net.Conn, time.Time) error
		wait func(net.Conn) error
	}{
		{"SetReadDeadline", net.Conn.SetReadDeadline, read},
		{"SetWriteDeadline", net.Conn.SetWriteDeadline, write},
		{"SetDeadline, read", net.Conn.SetDeadline, read},
		{"SetDeadline, write", net.Conn.SetDeadline, write},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conn, _ := upgraded(t, inBubble)
				began := time.Now()
				if err := tt.set(conn, began.Add(time.Minute)); err != nil {
					t.Fatal(err)
				}
				err := tt.wait(conn)
				var timeout net.Error
				if took := time.Since(began); !errors.As(err, &timeout) || !timeout.Timeout() || took != time.Minute {
					t.Errorf("got %v after %v", err, took)
				}
			})
		})
	}
}

// Silence does not end a connection, however long.
func TestHTTPHijackIsNeverIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conn, web := upgraded(t, inBubble)
		sleep(24 * time.Hour)
		web.send(stdin(1, "still here"))
		got := make([]byte, len("still here"))
		if _, err := io.ReadFull(conn, got); err != nil {
			t.Errorf("Read returned %v", err)
		}
		sleep(24 * time.Hour)
		if _, err := conn.Write(got); err != nil {
			t.Errorf("Write returned %v", err)
		}
		web.untilStdout(1, "\r\n\r\nstill here")
	})
}

// The context is over with the handler, as in net/http; the connection is not. Shutdown waits for it, and Close ends
// it.
func TestHTTPHijackOutlivesHandler(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		conns, done := make(chan net.Conn, 1), make(chan struct{})
		app := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _ := hijack(t, w)
			go func() {
				<-r.Context().Done()
				close(done)
			}()
			conns <- conn
		}))
		web := app.dial(t)
		web.send(httpUpgrade(1))
		conn := receive(t, conns)
		receive(t, done)
		if app.Stats().ActiveRequests != 1 {
			t.Error("the request has ended")
		}
		app.Close()
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, fastcgi.ErrServerClosed) {
			t.Errorf("Read returned %v", err)
		}
		conn.Close()
	})
}

// A hijacked connection keeps its place among MaxConcurrency after its handler, and Shutdown waits for it.
func TestHTTPHijackIsARequest(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		conns := make(chan net.Conn, 1)
		app := p.serve(t, &fastcgi.Server{MaxConcurrency: 1, Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Upgrade") != "" {
				conn, _ := hijack(t, w)
				conns <- conn
			}
		}))})
		first, second := app.dial(t), app.dial(t)
		first.send(httpUpgrade(1))
		conn := receive(t, conns)
		second.send(get(1, false, httpGet()...))
		second.manage(question()) // so the server has it, and does not run it
		down := make(chan error, 1)
		go func() { down <- app.Shutdown(t.Context()) }()
		first.manage(question())
		select {
		case err := <-down:
			t.Fatalf("Shutdown has not waited: %v", err)
		default:
		}
		if len(second.ended[1]) > 0 {
			t.Error("another request ran beside it")
		}
		conn.Close()
		if got := second.answer(1).status(); got != 200 {
			t.Errorf("status %d", got)
		}
		first.answer(1)
		first.Close()
		second.Close()
		if err := receive(t, down); err != nil {
			t.Errorf("Shutdown returned %v", err)
		}
	})
}
