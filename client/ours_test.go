package client_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
)

// echoServers answer with the body, in all ways that this module has.
func echoServers() map[string]*fastcgi.Server {
	return map[string]*fastcgi.Server{
		"sync": {Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			io.WriteString(w, "Status: 200\r\n\r\n")
			io.Copy(w, r)
		})},
		"async": {AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.ReadAll(1<<20, func(body []byte, _ error) {
				ex.WriteString("Status: 200\r\n\r\n")
				ex.Write(body)
				ex.Finish(0)
			})
		})},
		"http": {Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(w, r.Body)
		}))},
	}
}

// Many requests at once, of which some are given up, on few connections: each of the others has its own answer.
func TestOursSideBySide(t *testing.T) {
	for name := range echoServers() {
		for _, driver := range []fastcgi.Driver{fastcgi.DriverAuto, fastcgi.DriverGoroutine} {
			for _, multiplex := range []client.Multiplex{client.MultiplexOn, client.MultiplexAsk} {
				t.Run(fmt.Sprintf("%s, driver %s, multiplex %d", name, driver, multiplex), func(t *testing.T) {
					srv := echoServers()[name]
					srv.Driver = driver
					sideBySide(t, srv, multiplex)
				})
			}
		}
	}
}

func sideBySide(t *testing.T, srv *fastcgi.Server, multiplex client.Multiplex) {
	path := filepath.Join(t.TempDir(), "ours.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() { srv.Serve(l) })
	defer served.Wait()
	defer srv.Close()
	var dials atomic.Int32
	c := &client.Client{Multiplex: multiplex, MaxConns: 2, MaxActivePerConn: 8, Dial: func(ctx context.Context) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}
	defer c.Close()
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			body := strings.Repeat(strconv.Itoa(i)+" ", 2000)
			params := httpParams("PUT", len(body))
			if i%5 == 0 {
				ctx, cancel := context.WithCancel(t.Context())
				ours, theirs := io.Pipe()
				go func() {
					io.WriteString(theirs, body[:10])
					cancel()
					theirs.Close()
				}()
				do(ctx, c, &client.Request{Params: params, Stdin: ours}, 0)
				ours.Close()
				return
			}
			got, _, err := answer(t, c, &client.Request{Params: params, Stdin: strings.NewReader(body)})
			if !strings.HasSuffix(got, "\r\n\r\n"+body) || err != nil {
				t.Errorf("request %d: %q, %v", i, clip(got), err)
			}
		})
	}
	wg.Wait()
	want := int32(2)
	if multiplex == client.MultiplexAsk {
		want++ // and the question's
	}
	if n := dials.Load(); n > want {
		t.Errorf("%d connections, want %d", n, want)
	}
}
