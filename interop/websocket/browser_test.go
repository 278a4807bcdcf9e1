package websocket_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/browser"
)

// browsed is a site with a page that speaks WebSocket.
func browsed(ended chan<- error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "page_test.html") })
	mux.Handle("/echo", gorillaEcho(ended))
	mux.HandleFunc("/bye", func(w http.ResponseWriter, r *http.Request) {
		if c, err := new(gorilla.Upgrader).Upgrade(w, r, nil); err == nil {
			c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(4000, "bye"), time.Now().Add(patience))
			c.ReadMessage() // the browser's answer
			c.Close()
		}
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) {
		if c, err := new(gorilla.Upgrader).Upgrade(w, r, nil); err == nil {
			c.Close()
		}
	})
	return mux
}

// A real browser's WebSocket works behind each web server, to a proper close by either side, or none.
func TestBrowser(t *testing.T) {
	for _, front := range fronts {
		t.Run(front.name, func(t *testing.T) {
			ended := make(chan error, 1)
			p := browser.Open(t, front.serve(t, serveApplication(t, "", browsed(ended)))+"/")
			browse(t, p, ended)
		})
	}
}

// It works over HTTPS, too: on HTTP/1.1, which is what a browser falls back to where HTTP/2 is not said to have
// WebSockets.
func TestBrowserOverHTTPS(t *testing.T) {
	for _, front := range []struct {
		name  string
		serve func(t *testing.T, socket string) (url string)
	}{
		{"gateway", serveGatewayTLS},
		{"lighttpd", serveLighttpdTLS},
	} {
		t.Run(front.name, func(t *testing.T) {
			ended := make(chan error, 1)
			socket := serveApplication(t, "", browsed(ended))
			p := browser.Open(t, serveGateway(t, socket)+"/")
			p.Call("Security.setIgnoreCertificateErrors", map[string]any{"ignore": true}, nil)
			p.Call("Page.navigate", map[string]any{"url": front.serve(t, socket) + "/"}, nil)
			p.Await(`location.protocol === "https:" && document.readyState === "complete"`)
			if got := p.Eval(`performance.getEntriesByType("navigation")[0].nextHopProtocol`); front.name == "gateway" && got != "h2" {
				t.Errorf("the page came by %s", got)
			}
			browse(t, p, ended)
		})
	}
}

// serveGatewayTLS has HTTP/2, too, as any server of net/http.
func serveGatewayTLS(t *testing.T, socket string) string {
	t.Helper()
	app := &client.Client{Addr: "unix:" + socket}
	web := httptest.NewUnstartedServer(&gateway.Handler{Client: app, ErrorLog: slog.New(slog.DiscardHandler)})
	web.EnableHTTP2 = true
	web.Config.ErrorLog = log.New(io.Discard, "", 0) // the browser distrusts the certificate now and then
	web.StartTLS()
	t.Cleanup(func() {
		web.Close()
		app.Close()
	})
	return web.URL
}

func serveLighttpdTLS(t *testing.T, socket string) string {
	t.Helper()
	dir := filepath.Dir(socket)
	certificate(t, dir)
	return "https://" + serveLighttpdWith(t, socket, "lighttpd-tls.conf",
		"/etc/ssl/certs/app.pem", filepath.Join(dir, "app.pem"), "/etc/ssl/private/app.key", filepath.Join(dir, "app.key"))
}

// browse has the page do all that it can.
func browse(t *testing.T, p *browser.Tab, ended <-chan error) {
	t.Helper()
	for _, tt := range []struct{ expression, want string }{
		{`echo()`, "1000 1000  true"},
		{`visit("/bye")`, "4000 bye true"},
		{`visit("/gone")`, "1006  false"},
		{`visit("/nowhere")`, "1006  false"},
		{`hold()`, "open"},
	} {
		if got := p.Eval(tt.expression); got != tt.want {
			t.Errorf("%s gives %q, want %q", tt.expression, got, tt.want)
		}
	}
	if err := receive(t, ended); !closedNormally(err) {
		t.Errorf("after echo(), the application saw %v", err)
	}
	p.Call("Page.reload", nil, nil)
	if err := receive(t, ended); !gorilla.IsCloseError(err, gorilla.CloseGoingAway) {
		t.Errorf("after the visitor has left, the application saw %v", err)
	}
}

// certificate makes a key and a certificate for it, which nobody has reason to trust.
func certificate(t *testing.T, dir string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{{127, 0, 0, 1}}}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "app.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	write(t, filepath.Join(dir, "app.key"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
}
