package websocket_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gorilla "github.com/gorilla/websocket"
)

const nginxConf = `daemon off;
worker_processes 1;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
%[4]s
events {}
http {
	access_log off;
	client_body_temp_path %[1]s/body;
	fastcgi_temp_path %[1]s/fastcgi;
	proxy_temp_path %[1]s/proxy;
	scgi_temp_path %[1]s/scgi;
	uwsgi_temp_path %[1]s/uwsgi;
	server {
		listen %[2]s;
		location / {
			include /etc/nginx/fastcgi_params;
			fastcgi_pass unix:%[3]s;
		}
	}
}
`

const apacheConf = `ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/apache.pid
ErrorLog %[1]s/error.log
ServerName localhost
Listen %[2]s
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_fcgi_module /usr/lib/apache2/modules/mod_proxy_fcgi.so
ProxyPass / unix:%[3]s|fcgi://app/
`

const caddyfile = `{
	admin off
}
http://%[2]s {
	reverse_proxy unix/%[3]s {
		transport fastcgi
	}
}
`

// refusing are web servers that end the input of a request, whatever the application answers.
var refusing = []struct {
	program string
	conf    string
	args    []string // before the configuration's name
}{
	{"nginx", nginxConf, []string{"-c"}},
	{"apache2", apacheConf, []string{"-DFOREGROUND", "-f"}},
	{"caddy", caddyfile, []string{"run", "--adapter", "caddyfile", "--config"}},
}

// Behind a web server that upgrades nothing, a library's upgrade fails, always, with an error that says why. The client
// gets the library's own answer to that, and no 101 that leads nowhere.
func TestRefused(t *testing.T) {
	for _, web := range refusing {
		t.Run(web.program, func(t *testing.T) {
			program, err := exec.LookPath(web.program)
			if err != nil {
				program, err = exec.LookPath(filepath.Join("/usr/sbin", web.program))
			}
			if err != nil {
				missing(t, "there is no "+web.program)
			}
			refused := make(chan error, 1)
			socket := serveApplication(t, "", upgradeInVain(refused))
			dir, addr := filepath.Dir(socket), freeAddr(t)
			letIn(t, dir, socket)
			user := ""
			if os.Geteuid() == 0 {
				user = "user root;"
			}
			conf := filepath.Join(dir, "web.conf")
			write(t, conf, fmt.Sprintf(web.conf, dir, addr, socket, user))
			cmd := exec.Command(program, append(web.args, conf)...)
			cmd.Env = append(os.Environ(), "HOME="+dir)
			run(t, addr, filepath.Join(dir, "error.log"), cmd)
			for range 50 { // the end of the input may be late
				askInVain(t, "ws://"+addr)
				if why := receive(t, refused); why == nil || !strings.Contains(why.Error(), "has ended the input") {
					t.Fatalf("the application got %v", why)
				}
			}
		})
	}
}

// So it is behind a lighttpd that is not told to upgrade: it hides the wish, but not from a client that knows of it.
func TestRefusedByLighttpd(t *testing.T) {
	refused := make(chan error, 1)
	addr := serveLighttpdWith(t, serveApplication(t, "", upgradeInVain(refused)), "lighttpd.conf", `"upgrade"             => "enable",`, "")
	_, _, err := gorilla.DefaultDialer.DialContext(t.Context(), "ws://"+addr, nil)
	if !errors.Is(err, gorilla.ErrBadHandshake) {
		t.Errorf("the client got %v", err)
	}
	if why := receive(t, refused); why == nil || !strings.Contains(why.Error(), "not found in 'Upgrade' header") {
		t.Errorf("the application got %v", why)
	}
}

// upgradeInVain tells why it could not upgrade.
func upgradeInVain(refused chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
		refused <- err
	})
}

// askInVain wants to be refused, with a whole response.
func askInVain(t *testing.T, url string) {
	t.Helper()
	_, resp, err := gorilla.DefaultDialer.DialContext(t.Context(), url, nil)
	if !errors.Is(err, gorilla.ErrBadHandshake) || resp.StatusCode != http.StatusInternalServerError {
		t.Fatalf("the client got %v, %v", resp, err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "Internal Server Error") {
		t.Errorf("the client read %q, %v", body, err)
	}
}

// letIn lets the web server's own user connect to a socket.
func letIn(t *testing.T, dir, socket string) {
	t.Helper()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(socket, 0o666)); err != nil {
		t.Fatal(err)
	}
}
