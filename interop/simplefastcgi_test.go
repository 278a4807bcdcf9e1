package interop_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/programs"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// packageVersion is that of simple_fastcgi, the Python package that this project took over from, that is compared.
const packageVersion = "0.0.8"

// findPackage returns the Python that has the package, and the text of the package's page. Without one, the test ends.
func findPackage(t *testing.T) (python, page string) {
	t.Helper()
	if pinned := readFile(t, "../bench/peers/simplefastcgi/requirements.txt"); !strings.HasPrefix(pinned, "simple_fastcgi=="+packageVersion+" ") {
		t.Fatalf("not %s but %q is installed", packageVersion, pinned)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	env := filepath.Join(cache, "fastcgi", "simple_fastcgi-"+packageVersion)
	found, err := filepath.Glob(filepath.Join(env, "lib", "python*", "site-packages", "simple_fastcgi-"+packageVersion+".dist-info", "METADATA"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		required.Missing(t, "simple_fastcgi %s is not installed: ./interop/simplefastcgi/install, with Python 3 and venv (Debian: python3-venv)", packageVersion)
	}
	return filepath.Join(env, "bin", "python"), readFile(t, found[0])
}

// packageExample is a program on the package's page.
var packageExample = regexp.MustCompile("(?s)\n## Example [12]: (echo|dir listing) [^\n]*\n+```python\n(.*?)```")

// runPackage runs the package's own examples, as its page has them, until the end of the test: echo and dir listing.
func runPackage(t *testing.T, p *place) {
	t.Helper()
	python, page := findPackage(t)
	programs := packageExample.FindAllStringSubmatch(strings.ReplaceAll(page, "\r\n", "\n"), -1)
	if len(programs) != 2 {
		t.Fatalf("the page has %d examples", len(programs))
	}
	for _, program := range programs {
		name := strings.Fields(program[1])[0]
		file := p.write(t, name+".py", program[2])
		// It knows no signal that has it end well.
		runOnSocket(t, os.Kill, exec.Command(python, file), p.path("package-"+name+".sock"))
	}
}

// runExamples runs the examples here that take the place of the package's.
func runExamples(t *testing.T, p *place) {
	t.Helper()
	for name, program := range map[string]*programs.Program{"echo": programs.Echo, "dir": programs.Dirlist} {
		runOnSocket(t, syscall.SIGTERM, exec.Command(program.Build(t)), p.path("here-"+name+".sock"))
	}
	serve(t, &fastcgi.Server{Handler: fastcgi.HandlerFunc(echoAsPackage)}, "unix:"+p.path("bytes-echo.sock"))
}

// runOnSocket runs a program as a web server does: with its socket as descriptor 0.
func runOnSocket(t *testing.T, stop os.Signal, cmd *exec.Cmd, path string) {
	t.Helper()
	cmd.Stdin = openSocket(t, "unix:"+path)
	start(t, stop, cmd)
}

// echoAsPackage answers with the bytes of the package's send_response(200, json = self.environ). The page prints it.
func echoAsPackage(w fastcgi.ResponseWriter, r *fastcgi.Request) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	if err := enc.Encode(r.Params); err != nil {
		return
	}
	_ = fastcgi.SendResponse(w, 200, "application/json", bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// packageConf has the name of a host choose the application, and tells none of them which it was. What is different from
// one request to the next is the same for all of them, too.
const packageConf = `
map $host $application {
	package-echo.example unix:PLACE/package-echo.sock;
	package-dir.example  unix:PLACE/package-dir.sock;
	here-echo.example    unix:PLACE/here-echo.sock;
	here-dir.example     unix:PLACE/here-dir.sock;
	bytes-echo.example   unix:PLACE/bytes-echo.sock;
}
server {
	listen 127.0.0.1:8080;
	root PLACE/files;
	large_client_header_buffers 8 32k;
	client_max_body_size 10m;
	location / {
		include fastcgi_params;
		fastcgi_param HTTP_HOST app.example;
		fastcgi_param REMOTE_PORT 50000;
		fastcgi_pass $application;
	}
	location /lower {
		include fastcgi_params;
		fastcgi_param HTTP_HOST app.example;
		fastcgi_param REMOTE_PORT 50000;
		fastcgi_param app_stage demo;
		fastcgi_pass $application;
	}
}
`

// The package's own examples and those that take their place answer alike, behind the same web server, but for the
// differences that are listed.
func TestLikeSimpleFastCGI(t *testing.T) {
	t.Parallel()
	nginx.find(t)
	p := newPlace(t)
	runPackage(t, p)
	runExamples(t, p)
	makeListed(t, p.path("files"))
	s := nginx.runText(t, p, "package.conf", strings.ReplaceAll(packageConf, "PLACE", p.dir), "")

	requests, asked, shown := slices.Concat(echoRequests, listRequests()), 0, map[*divergence]bool{}
	for _, r := range requests {
		t.Run(r.String(), func(t *testing.T) {
			asked++
			theirs, here := r.ask(t, s, "package"), r.ask(t, s, "here")
			if d := r.differs; d == nil {
				wantSame(t, theirs, here)
			} else if shown[d] = true; !d.shows(theirs, here) {
				t.Errorf("%s: not as listed:\n%s\nhere:\n%s", d.what, theirs, here)
			}
			if r.differs == layout {
				wantSame(t, theirs, r.ask(t, s, "bytes"))
			}
		})
	}
	for _, d := range divergences {
		if !shown[d] && asked == len(requests) {
			t.Errorf("no request shows this: %s", d.what)
		}
	}
}
