package websocket_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// Behind those web servers, one program has its WebSockets over HTTP, on a socket of their own, beside FastCGI.
func TestBeside(t *testing.T) {
	for _, web := range others {
		t.Run(web.name, func(t *testing.T) {
			ended := make(chan error, 1)
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, fastcgi.FromContext(r.Context()) != nil)
			})
			mux.Handle("/chat", gorillaEcho(ended))
			socket := serveApplication(t, "", mux)
			l, err := fastcgi.Listen("unix:"+filepath.Join(filepath.Dir(socket), "http.sock"), nil)
			if err != nil {
				t.Fatal(err)
			}
			beside := &http.Server{Handler: mux}
			go beside.Serve(l)
			t.Cleanup(func() { beside.Close() })
			if err := os.Chmod(l.Addr().String(), 0o666); err != nil {
				t.Fatal(err)
			}
			addr := web.serve(t, socket)
			resp, err := http.Get("http://" + addr + "/")
			if err != nil {
				t.Fatal(err)
			}
			defer http.DefaultClient.CloseIdleConnections()
			defer resp.Body.Close()
			if byFastCGI, err := io.ReadAll(resp.Body); string(byFastCGI) != "true" || err != nil {
				t.Errorf("the page: %q, %v", byFastCGI, err)
			}
			p := dialGorilla(t, "http://"+addr+"/chat", nil)
			exchange(t, session{peer: p})
			if err := p.close(); err != nil {
				t.Error(err)
			}
			if err := receive(t, ended); !closedNormally(err) {
				t.Errorf("the application saw %v", err)
			}
		})
	}
}
