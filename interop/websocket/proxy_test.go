package websocket_test

import (
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// An application may be a proxy, to another one that speaks WebSocket over HTTP.
func TestReverseProxy(t *testing.T) {
	ended := make(chan error, 1)
	backend := httptest.NewServer(gorillaEcho(ended))
	t.Cleanup(backend.Close)
	target, err := url.Parse(backend.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, front := range fronts {
		t.Run(front.name, func(t *testing.T) {
			proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
			p := dialGorilla(t, front.serve(t, serveApplication(t, "", proxy)), nil)
			exchange(t, session{peer: p})
			if err := p.close(); err != nil {
				t.Error(err)
			}
			if err := receive(t, ended); !closedNormally(err) {
				t.Errorf("the backend saw %v", err)
			}
		})
	}
}
