package interop_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// debianApache is where Debian's package has its configuration.
const debianApache = "/etc/apache2"

// apacheUser is whom Apache's processes are, on Debian.
const apacheUser = "www-data"

// stockModules and stockConfs are what Debian's package enables when it is installed.
var (
	stockModules = []string{
		"mpm_event", "authz_core", "authz_host", "authn_core", "auth_basic", "access_compat", "authn_file", "authz_user",
		"alias", "dir", "autoindex", "env", "mime", "negotiation", "setenvif", "filter", "deflate", "status", "reqtimeout",
	}
	stockConfs = []string{"charset", "localized-error-pages", "other-vhosts-access-log", "security", "serve-cgi-bin"}
)

// A stockApache is Apache as Debian's package installs it, in the folder of a test: with Debian's own files and tools.
type stockApache struct {
	place *place
	env   []string // takes the tools and apache2.conf to the folder
}

// newStockApache makes one. Besides folders, only its port is not that of a fresh installation: 80 may be in use.
func newStockApache(t *testing.T, p *place) *stockApache {
	t.Helper()
	if _, err := os.Stat(filepath.Join(debianApache, "mods-available")); err != nil {
		required.Missing(t, "this Apache is not Debian's: %v", err)
	}
	if err := os.CopyFS(p.path("etc"), os.DirFS(debianApache)); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{
		"etc/mods-enabled", "etc/conf-enabled", "etc/sites-enabled", "run/socks", "state", "www", "bin", "files",
	} {
		makeEmpty(t, p.path(dir))
	}
	port := freePorts(t, 1)[0]
	p.change(t, "etc/apache2.conf", "/var/www/", p.path("www"))
	p.change(t, "etc/ports.conf", "Listen 80\n", "Listen "+port+"\n", "\tListen 443\n", "")
	p.change(t, "etc/sites-available/000-default.conf", "*:80", port, "/var/www/html", p.path("www"))
	a := &stockApache{place: p, env: []string{
		"APACHE_CONFDIR=" + p.path("etc"),
		"APACHE_ENVVARS=/dev/null",
		"APACHE_STATE_DIRECTORY=" + p.path("state"),
		"APACHE_RUN_USER=" + apacheUser,
		"APACHE_RUN_GROUP=" + apacheUser,
		"APACHE_PID_FILE=" + p.path("run/apache2.pid"),
		"APACHE_RUN_DIR=" + p.path("run"),
		"APACHE_LOCK_DIR=" + p.path("run"),
		"APACHE_LOG_DIR=" + p.dir,
	}}
	for _, m := range stockModules {
		a.link(t, "mods", m)
	}
	for _, c := range stockConfs {
		a.link(t, "conf", c)
	}
	a.link(t, "sites", "000-default")
	a.enable(t, "conf", "folders", fmt.Sprintf(fcgidFolders, p.path("fcgid")))
	return a
}

// fcgidFolders puts the sockets of mod_fcgid's processes into a folder, which nothing in the environment does.
const fcgidFolders = `
<IfModule fcgid_module>
	FcgidIPCDir %[1]s
	FcgidProcessTableFile %[1]s.table
</IfModule>`

func makeEmpty(t *testing.T, dir string) {
	t.Helper()
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
}

// change replaces text in a file.
func (p *place) change(t *testing.T, name string, oldnew ...string) {
	t.Helper()
	p.write(t, name, strings.NewReplacer(oldnew...).Replace(readFile(t, p.path(name))))
}

// fill puts the folders of this Apache into a printed configuration.
func (a *stockApache) fill(config string) string {
	return strings.NewReplacer(
		"/usr/local/bin", a.place.path("bin"),
		"/var/www/html", a.place.path("www"),
		"/srv/app", a.place.path("files"),
	).Replace(config)
}

// command returns a program's command in this Apache's environment.
func (a *stockApache) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), a.env...)
	return cmd
}

// foreground returns the command that runs this Apache, given the program.
func (a *stockApache) foreground(program string) *exec.Cmd {
	return a.command(program, "-d", a.place.path("etc"), "-DFOREGROUND")
}

// run runs one of Debian's tools.
func (a *stockApache) run(t *testing.T, tool string, args ...string) {
	t.Helper()
	if out, err := a.command(filepath.Join("/usr/sbin", tool), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", tool, args, err, out)
	}
}

// enableModules enables modules. Where one is not installed, the test ends here.
func (a *stockApache) enableModules(t *testing.T, modules ...string) {
	t.Helper()
	for _, m := range modules {
		if _, err := os.Stat(filepath.Join(debianApache, "mods-available", m+".load")); err == nil {
			continue
		}
		required.Missing(t, "Apache's module %s is not installed (Debian: libapache2-mod-%[1]s)", m)
	}
	a.run(t, "a2enmod", modules...)
}

// enable adds a file to those of a kind, conf or sites, and enables it.
func (a *stockApache) enable(t *testing.T, kind, name, text string) {
	t.Helper()
	a.place.write(t, filepath.Join("etc", kind+"-available", name+".conf"), text+"\n")
	a.link(t, kind, name)
}

// link enables what needs nothing else, as Debian's tools do. These are written in Perl, and six of them for each site were
// most of what setting Apache up took; what the page says of them, TestApachePageCommands does.
func (a *stockApache) link(t *testing.T, kind, name string) {
	t.Helper()
	linked := false
	for _, suffix := range []string{".load", ".conf"} {
		available, enabled := kind+"-available/"+name+suffix, kind+"-enabled/"+name+suffix
		if _, err := os.Stat(a.place.path("etc/" + available)); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := os.Symlink("../"+available, a.place.path("etc/"+enabled)); err != nil {
			t.Fatal(err)
		}
		linked = true
	}
	if !linked {
		t.Fatalf("Debian's Apache has no %s in %s-available", name, kind)
	}
}

// admit gives a socket's file to Apache's group, as the page says, if it is there. Only where this runs as root has
// Apache that group.
func (a *stockApache) admit(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Stat(path); os.Geteuid() != 0 || errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err := errors.Join(os.Chown(path, -1, apacheGroup(t)), os.Chmod(path, 0o660)); err != nil {
		t.Fatal(err)
	}
}

// apacheGroup returns the number of Apache's group.
func apacheGroup(t *testing.T) int {
	t.Helper()
	group, err := user.LookupGroup(apacheUser)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.Atoi(group.Gid)
	if err != nil {
		t.Fatal(err)
	}
	return gid
}

// What the page says to do with a freshly installed Apache, done as it stands there, makes the application answer.
func TestApachePageCommands(t *testing.T) {
	t.Parallel()
	program := apache.find(t)
	p := newPlace(t)
	startProbe(t, buildProbe(t), "unix:"+p.socket)
	a := newStockApache(t, p)
	commands := apacheCommands.FindString(readFile(t, "../docs/apache.md"))
	script := strings.NewReplacer(
		"docs/", "../docs/",
		debianApache, p.path("etc"),
		"systemctl restart apache2\n", "",
	).Replace(commands)
	sh := a.command("/bin/sh", "-ec", "PATH=$PATH:/usr/sbin\n"+script)
	if out, err := sh.CombinedOutput(); err != nil || commands == "" {
		t.Fatalf("%s: %v\n%s", script, err, out)
	}
	p.write(t, "etc/sites-available/app.conf", p.fill(p.read(t, "etc/sites-available/app.conf")))
	a.admit(t, p.socket)
	s := newSite(t, apache, p)
	start(t, apache.stop, a.foreground(program)).awaitListening(t, s.addr)
	s.get(t, "do=ignore").want(t, 200, "ignored\n")
}

// apacheCommands are those that the page begins with.
var apacheCommands = regexp.MustCompile(`cp docs/apache/minimal.conf .*\n(a2en.*\n)+systemctl restart apache2\n`)

// Applications of one name are one application for Apache: it asks the first.
func TestApacheNamesOfApplications(t *testing.T) {
	t.Parallel()
	apache.find(t)
	for name, answers := range map[string]string{"app": "other", "other": "app"} {
		p := newPlace(t)
		for _, app := range []string{"app", "other"} {
			text := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
				_ = fastcgi.SendResponse(w, 200, "text/plain", app)
			})
			l, err := fastcgi.Listen("unix:"+p.path(app+".sock"), &fastcgi.ListenOptions{Mode: 0o666})
			if err != nil {
				t.Fatal(err)
			}
			serveOn(t, &fastcgi.Server{Handler: text}, l)
		}
		other := fmt.Sprintf(`ProxyPass "/other/" "unix:%s|fcgi://%s/"`, p.path("other.sock"), name)
		apache.run(t, p, "minimal.conf", "<IfModule proxy_module>\n"+other+"\n</IfModule>").get(t, "").want(t, 200, answers)
	}
}
