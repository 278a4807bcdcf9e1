package interop_test

import (
	"errors"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// sharedHosting is what somebody may have who rents a folder.
const sharedHosting = `
Listen 127.0.0.1:8080
<VirtualHost 127.0.0.1:8080>
	DocumentRoot "/var/www/html"
	<Directory "/var/www/html">
		Options All
		AllowOverride All
	</Directory>
</VirtualHost>`

// apacheHtaccess is the only file that such a person needs besides the program.
func apacheHtaccess(t *testing.T, probe string) {
	t.Parallel()
	p := newPlace(t)
	w := *apache
	w.command = func(t *testing.T, program string, p *place, site, around string) *exec.Cmd {
		t.Helper()
		a := newStockApache(t, p)
		a.enableModules(t, "fcgid", "rewrite")
		a.enable(t, "sites", "hosting", p.fill(a.fill(sharedHosting)))
		p.write(t, "www/.htaccess", readFile(t, site))
		writeScript(t, p.path("www/app.fcgi"), "exec "+p.borrow(t, probe))
		p.write(t, "www/static.txt", "static\n")
		makeEmpty(t, p.path("www/u"))
		p.write(t, "www/u/.htaccess", readFile(t, site))
		if err := os.Link(p.borrow(t, probe), p.path("www/u/app.fcgi")); err != nil {
			t.Fatal(err)
		}
		return a.foreground(program)
	}
	s := w.run(t, p, "htaccess", "")
	s.path = "/static.txt"
	s.get(t, "").want(t, 200, "static\n")
	s.path = "/a/b"
	wantParams(t, params(t, s.get(t, "x=y")), map[string]string{
		"REQUEST_URI": "/a/b?x=y", "SCRIPT_NAME": "/app.fcgi", "PATH_INFO": "/a/b", "QUERY_STRING": "x=y",
	})
	s.path = "/"
	s.post(t, "do=echo", "body").want(t, 200, "body")
	req := s.request(t, http.MethodGet, "", nil)
	req.Header.Set("Authorization", "Bearer token")
	wantParams(t, params(t, s.do(t, req)), map[string]string{"HTTP_AUTHORIZATION": "Bearer token"})
	for n, status := range map[int64]int{131072: 200, 131073: 500} {
		req := s.request(t, http.MethodPost, "do=digest", noise(n))
		req.ContentLength = n
		wantStatus(t, s.do(t, req), status)
	}
	p.write(t, "www/app.toml", "password")
	p.write(t, "www/app.json", "{}")
	for path, status := range map[string]int{"/app.toml": 403, "/app.json": 200} {
		s.path = path
		wantStatus(t, s.get(t, ""), status)
	}
	s.path = "/u/a/b"
	wantParams(t, params(t, s.get(t, "x=y")), map[string]string{
		"REQUEST_URI": "/u/a/b?x=y", "SCRIPT_NAME": "/u/app.fcgi", "PATH_INFO": "/a/b",
	})
	updateProgram(t, s)
}

// updateProgram replaces the program in the folder /u, which runs, as the page says.
func updateProgram(t *testing.T, s *site) {
	t.Helper()
	program := s.place.path("www/u/app.fcgi")
	f, err := os.OpenFile(program, os.O_WRONLY, 0)
	if !errors.Is(err, syscall.ETXTBSY) {
		f.Close()
		t.Errorf("writing into the program: %v", err)
	}
	mark := s.place.path("run/updated")
	if err := os.Chmod(s.place.path("run"), 0o777); err != nil {
		t.Fatal(err)
	}
	writeScript(t, s.place.path("new.fcgi"), "echo >"+mark+"; exec "+s.place.path("probe.exe"))
	if err := os.Rename(s.place.path("new.fcgi"), program); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s.get(t, ""), 200)
	if _, err := os.Stat(mark); err != nil {
		t.Errorf("the new program was not started: %v", err)
	}
}
