package interop_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// apachePaths are the ways in which mod_proxy_fcgi splits /x.p/y.z/%20q into SCRIPT_NAME and PATH_INFO.
var apachePaths = map[string][2]string{
	"ProxyFCGIBackendType FPM":     {"/x.p/y.z/ q", ""}, // as if nothing is said
	"ProxyFCGIBackendType GENERIC": {"/x.p/y.z/ q", ""},

	"SetEnvIf Request_URI . proxy-fcgi-pathinfo=full":      {"/x.p/y.z/ q", ""},
	"SetEnvIf Request_URI . proxy-fcgi-pathinfo=first-dot": {"/x.p", "/y.z/ q"},
	"SetEnvIf Request_URI . proxy-fcgi-pathinfo=last-dot":  {"/x.p/y.z", "/ q"},
	"SetEnvIf Request_URI . proxy-fcgi-pathinfo=unescape":  {"", "/x.p/y.z/ q"},
	"SetEnvIf Request_URI . proxy-fcgi-pathinfo":           {"/x.p/y.z/ q", "/x.p/y.z/%20q"},

	`ProxyFCGISetEnvIf "reqenv('SCRIPT_NAME') =~ m#^(/x.p)(/.*)$#" PATH_INFO "$2"
	ProxyFCGISetEnvIf "true" SCRIPT_NAME "/x.p"`: {"/x.p", "/y.z/ q"},
}

// Whatever Apache makes of a path, an http.Handler sees the one that the client sent.
func TestApachePaths(t *testing.T) {
	t.Parallel()
	apache.find(t)
	for setting, want := range apachePaths {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t)
			show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				p := fastcgi.FromContext(r.Context()).Params
				fmt.Fprintf(w, "%q %q", []string{p.Get("SCRIPT_NAME"), p.Get("PATH_INFO")}, r.URL.EscapedPath())
			})
			serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(show)}, "unix:"+p.socket)
			s := apache.run(t, p, "minimal.conf", setting)
			a := s.sendRaw(t, "GET /x.p/y.z/%20q HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
			a.want(t, 200, fmt.Sprintf("%q %q", want, "/x.p/y.z/%20q"))
		})
	}
}
