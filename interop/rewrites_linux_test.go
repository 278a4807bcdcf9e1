package interop_test

import (
	"fmt"
	"net/http"
	"os/exec"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// rewriting are configurations that rewrite requests, or the files that do, and what a handler then finds as query; its
// RequestURI is what the client asked for.
var rewriting = []struct {
	name   string
	server *webServer
	config string
	want   map[string]string
}{
	{"nginx", nginx, `server {
	listen 127.0.0.1:8080;
	include fastcgi_params;
	location /u/       { rewrite ^/u/(\w+)$ /profile?user=$1 last; }
	location /fixed/   { rewrite ^ /profile?user=fixed? last; }
	location /args/    { set $args "set=1"; fastcgi_pass unix:/run/app/app.sock; }
	location /none/    { set $args ""; fastcgi_pass unix:/run/app/app.sock; }
	location /try/     { try_files $uri /app; }
	location /tryargs/ { try_files $uri /app$is_args$args; }
	location /         { fastcgi_pass unix:/run/app/app.sock; }
}`, map[string]string{
		"/u/joe?x=1": "user=joe&x=1", "/u/joe": "user=joe", "/fixed/?x=1": "user=fixed",
		"/args/?x=1": "set=1", "/args/": "set=1", "/none/?x=1": "",
		// nginx drops the arguments of a fallback that names none, so there are none.
		"/try/a?x=1": "", "/tryargs/a?x=1": "x=1", "/tryargs/a": "", "/a?x=1": "x=1",
	}},
	{"lighttpd", lighttpd, `server.modules += ( "mod_rewrite", "mod_fastcgi" )
$SERVER["socket"] == "127.0.0.1:8080" {
	url.rewrite-once = (
		"^/u/(\w+)(?:\?(.*))?$" => "/profile?user=$1&$2",
		"^/drop/"               => "/profile",
	)
	fastcgi.server = ( "/" => (( "socket" => "/run/app/app.sock", "check-local" => "disable", "fix-root-scriptname" => "enable" )))
}`, map[string]string{"/u/joe?x=1": "user=joe&x=1", "/u/joe": "user=joe&", "/drop/?x=1": "", "/a?x=1": "x=1"}},
	{"Apache", apache, `# a2enmod proxy_fcgi rewrite
Listen 127.0.0.1:8080
<VirtualHost 127.0.0.1:8080>
	RewriteEngine On
	RewriteRule "^/u/(\w+)$"   "/profile?user=$1" [QSA,PT]
	RewriteRule "^/fixed/"     "/profile?user=fixed" [PT]
	RewriteRule "^/drop/"      "/profile" [QSD,PT]
	ProxyPass "/" "unix:/run/app/app.sock|fcgi://app/"
</VirtualHost>`, map[string]string{
		"/u/joe?x=1": "user=joe&x=1", "/u/joe": "user=joe", "/fixed/?x=1": "user=fixed", "/drop/?x=1": "", "/a?x=1": "x=1",
	}},
	{"Apache, .htaccess", apacheFolder(`RewriteEngine On
RewriteRule "^u/(\w+)$" "profile?user=$1" [QSA,L]
RewriteRule "^fixed/"   "profile?user=fixed" [L]
`), `# a2enmod proxy_fcgi rewrite
Listen 127.0.0.1:8080
<VirtualHost 127.0.0.1:8080>
	DocumentRoot "/var/www/html"
	<Directory "/var/www/html">
		AllowOverride All
		Require all granted
		<Files "profile">
			SetHandler "proxy:unix:/run/app/app.sock|fcgi://app"
		</Files>
	</Directory>
</VirtualHost>`, map[string]string{
		"/u/joe?x=1": "user=joe&x=1", "/u/joe": "user=joe", "/fixed/?x=1": "user=fixed", "/profile?x=1": "x=1",
	}},
}

// apacheFolder returns an Apache that has an .htaccess, and a file with the name profile beside it.
func apacheFolder(htaccess string) *webServer {
	w := *apache
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		cmd := apacheCommand(t, program, p, site, around)
		p.write(t, "www/.htaccess", htaccess)
		p.write(t, "www/profile", "")
		return cmd
	}
	return &w
}

// The query is what the web server makes of it, and RequestURI is what the client asked for (W2).
func TestRewrites(t *testing.T) {
	t.Parallel()
	for _, tt := range rewriting {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.server.find(t)
			p := newPlace(t)
			show := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.RawQuery, " of ", r.RequestURI) })
			serve(t, &fastcgi.Server{Handler: fastcgi.HTTP(show)}, "unix:"+p.socket)
			s := tt.server.runText(t, p, "rewrites.conf", tt.config, "")
			for uri, query := range tt.want {
				s.sendRaw(t, "GET "+uri+" HTTP/1.1\r\nHost: "+s.addr+"\r\nConnection: close\r\n\r\n").want(t, 200, query+" of "+uri)
			}
		})
	}
}
