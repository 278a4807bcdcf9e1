package fastcgi_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// File names are without what Apache's mod_proxy has put in front of them, and the other parameters as they came.
func TestHTTPProxiedNames(t *testing.T) {
	onUnix(t, func(t *testing.T, p place) {
		web := p.serveHTTP(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			params := fastcgi.FromContext(r.Context()).Params
			fmt.Fprint(w, params.Len(), " ", params.Get("SCRIPT_FILENAME"), " ", params.Get("PATH_TRANSLATED"), " ", params.Get("X_NAME"))
		})).dial(t)
		for _, tt := range []struct{ script, query, translated, want string }{
			{"/srv/app.fcgi", "", "/srv/a", "/srv/app.fcgi /srv/a"},
			{"proxy:fcgi://127.0.0.1:9000/srv/app.fcgi", "", "", "/srv/app.fcgi "},
			{"proxy:fcgi://127.0.0.1:9000/srv/app.fcgi", "", "proxy:fcgi://127.0.0.1:9000/srv/a", "/srv/app.fcgi /srv/a"},
			{"proxy:fcgi://localhost/srv/app.fcgi?a=b", "a=b", "", "/srv/app.fcgi "},
			{"proxy:fcgi://localhost/srv/what?", "a=b", "", "/srv/what? "},
			{"proxy:balancer://app/srv/app.fcgi", "", "", "/srv/app.fcgi "},
			{"proxy:fcgi://127.0.0.1:9000//a", "", "", "//a "},
			{"proxy:fcgi://127.0.0.1:9000", "", "", " "},
			{"/srv/proxy:fcgi://x/y", "", "", "/srv/proxy:fcgi://x/y "},
		} {
			params := httpGet("SCRIPT_FILENAME", tt.script, "QUERY_STRING", tt.query, "PATH_TRANSLATED", tt.translated, "X_NAME", "proxy:fcgi://x/y")
			want := fmt.Sprint(len(params)/2, " ", tt.want, " proxy:fcgi://x/y")
			if got := web.ask(1, params...).body(); got != want {
				t.Errorf("%s: got %q, want %q", tt.script, got, want)
			}
		}
	})
}
