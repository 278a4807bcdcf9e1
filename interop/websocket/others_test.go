package websocket_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// others are web servers that upgrade nothing for FastCGI: they end the input of a request, whatever the application
// answers.
var others = []other{
	{"nginx", "nginx.conf", nginxConf, []string{"nginx", "-c"}},
	{"apache", "apache.conf", apacheConf, []string{"apache2", "-DFOREGROUND", "-f"}},
	{"caddy", "Caddyfile", caddyfile, []string{"caddy", "run", "--adapter", "caddyfile", "--config"}},
}

type other struct {
	name    string
	printed string   // the configuration in docs
	around  string   // with %[1]s for the folder of the test, and %[2]s for what being root takes
	command []string // that the configuration's name is added to
}

const nginxConf = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
%[2]s
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	fastcgi_temp_path %[1]s/fastcgi;
	proxy_temp_path %[1]s/proxy;
	scgi_temp_path %[1]s/scgi;
	uwsgi_temp_path %[1]s/uwsgi;
	include %[1]s/printed.conf;
}
`

const apacheConf = `ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/apache.pid
ErrorLog %[1]s/error.log
ServerName localhost
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so
LoadModule proxy_http_module /usr/lib/apache2/modules/mod_proxy_http.so
Include %[1]s/printed.conf
`

const caddyfile = `{
	admin off
}
import %[1]s/printed.conf
`

// serve runs the web server with the configuration that docs/websockets.md prints, and returns its address.
func (o other) serve(t *testing.T, socket string) string {
	t.Helper()
	program, err := exec.LookPath(o.command[0])
	if err != nil {
		program, err = exec.LookPath(filepath.Join("/usr/sbin", o.command[0]))
	}
	if err != nil {
		required.Missing(t, "there is no %s", o.command[0])
	}
	dir, addr := filepath.Dir(socket), freeAddr(t)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(socket, 0o666)); err != nil { // the web server has a user of its own
		t.Fatal(err)
	}
	changes := strings.NewReplacer("/run/app/app.sock", socket, "/run/app/http.sock", filepath.Join(dir, "http.sock"), "127.0.0.1:8080", addr)
	write(t, filepath.Join(dir, "printed.conf"), changes.Replace(printed(t, o.printed)))
	if o.name == "nginx" {
		write(t, filepath.Join(dir, "fastcgi_params"), readFile(t, "/etc/nginx/fastcgi_params"))
	}
	asRoot := ""
	if os.Geteuid() == 0 {
		asRoot = "user root;"
	}
	conf := filepath.Join(dir, "web.conf")
	write(t, conf, fmt.Sprintf(o.around, dir, asRoot))
	cmd := exec.Command(program, append(slices.Clone(o.command[1:]), conf)...)
	cmd.Env = append(os.Environ(), "HOME="+dir)
	run(t, addr, filepath.Join(dir, "error.log"), cmd)
	return addr
}
