package caddyfcgi_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	_ "github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	_ "github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"

	caddyfcgi "github.com/simple-fastcgi/fastcgi/contrib/caddy"
)

// Each option sets its field, on a line of a Caddyfile.
func TestOptions(t *testing.T) {
	on, off := true, false
	second := caddy.Duration(time.Second)
	for text, want := range map[string]caddyfcgi.Transport{
		"":                            {},
		"root /srv":                   {Root: "/srv"},
		"split .php .PHTML":           {SplitPath: []string{".php", ".PHTML"}},
		"env A 1\nenv B {host}":       {EnvVars: map[string]string{"A": "1", "B": "{host}"}},
		"resolve_root_symlink":        {ResolveRootSymlink: true},
		"dial_timeout 1s":             {DialTimeout: second},
		"read_timeout 1s":             {ReadTimeout: second},
		"write_timeout 1s":            {WriteTimeout: second},
		"response_header_timeout 1s":  {ResponseHeaderTimeout: second},
		"capture_stderr":              {CaptureStderr: &on},
		"capture_stderr off":          {CaptureStderr: &off},
		"keepalive":                   {KeepAlive: &caddyfcgi.KeepAlive{Enabled: &on}},
		"keepalive off":               {KeepAlive: &caddyfcgi.KeepAlive{Enabled: &off}},
		"keepalive 1s":                {KeepAlive: &caddyfcgi.KeepAlive{Enabled: &on, IdleTimeout: second}},
		"keepalive_idle_conns 3":      {KeepAlive: &caddyfcgi.KeepAlive{MaxIdleConns: 3}},
		"keepalive_requests 3":        {KeepAlive: &caddyfcgi.KeepAlive{MaxRequests: 3}},
		"max_conns 3":                 {MaxConns: 3},
		"multiplex ask":               {Multiplex: "ask"},
		"max_active_per_conn 3":       {MaxActivePerConn: 3},
		"collect_body":                {CollectBody: true},
		"stream_body":                 {StreamBody: true},
		"spool_memory 1KB":            {SpoolMemory: 1000},
		"spool_limit 1KiB":            {SpoolLimit: 1024},
		"spool_dir /var/spool":        {SpoolDir: "/var/spool"},
		"no_upgrade":                  {NoUpgrade: true},
		"tls":                         {TLS: &caddyfcgi.TLS{}},
		"tls_ca /a.pem":               {TLS: &caddyfcgi.TLS{CAFile: "/a.pem"}},
		"tls_client_auth /c.pem /k":   {TLS: &caddyfcgi.TLS{CertFile: "/c.pem", KeyFile: "/k"}},
		"tls_server_name example.org": {TLS: &caddyfcgi.TLS{ServerName: "example.org"}},
	} {
		got, err := unmarshal(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if !reflect.DeepEqual(*got, want) {
			t.Errorf("%q: %+v", text, got)
		}
		again := new(caddyfcgi.Transport)
		if err := json.Unmarshal(caddyconfig.JSON(got, nil), again); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%q: %+v from JSON, %v", text, again, err)
		}
	}
}

func TestWrongOptions(t *testing.T) {
	for _, text := range []string{
		"nonsense", "root", "root a b", "split", "env A", "env A b c", "resolve_root_symlink on", "dial_timeout", "dial_timeout soon",
		"capture_stderr maybe", "keepalive maybe", "max_conns many", "spool_limit much", "tls on", "tls_client_auth /c.pem",
	} {
		if _, err := unmarshal(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
	for _, text := range []string{"multiplex maybe", "collect_body\nstream_body"} {
		tr, err := unmarshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := tr.Validate(); err == nil {
			t.Errorf("%q is valid", text)
		}
	}
}

func unmarshal(options string) (*caddyfcgi.Transport, error) {
	t := new(caddyfcgi.Transport)
	return t, t.UnmarshalCaddyfile(caddyfile.NewTestDispenser("fcgi {\n" + options + "\n}"))
}

// php_fcgi makes what php_fastcgi makes, but for the transport.
func TestPHPDirective(t *testing.T) {
	for _, text := range []string{
		"%s unix//run/php.sock",
		"%s /blog/* 127.0.0.1:9000",
		"@post method POST\n%s @post 127.0.0.1:9000 127.0.0.1:9001 {\nlb_policy first\nroot /srv\nsplit .php .php5\nenv A b\n" +
			"dial_timeout 1s\nread_timeout 2s\nwrite_timeout 3s\ntry_files {path} index.php5\nresolve_root_symlink\n@e status 500\nhandle_response @e {\nreverse_proxy 127.0.0.1:1 {\ntransport fastcgi {\nroot /e\n}\n}\n}\n}",
		"%s 127.0.0.1:9000 {\nindex off\n}",
		"%s 127.0.0.1:9000 {\nindex app.php\n}",
	} {
		want := strings.ReplaceAll(adapted(t, strings.ReplaceAll(text, "%s", "php_fastcgi")), `"protocol":"fastcgi"`, `"protocol":"fcgi"`)
		want = strings.ReplaceAll(want, `"protocol":"fcgi","root":"/e"`, `"protocol":"fastcgi","root":"/e"`)
		if got := adapted(t, strings.ReplaceAll(text, "%s", "php_fcgi")); sorted(t, got) != sorted(t, want) {
			t.Errorf("%s:\n got %s\nwant %s", text, got, want)
		}
	}
	got := adapted(t, "php_fcgi 127.0.0.1:9000 {\nmax_conns 4\ncollect_body\n}")
	for _, part := range []string{`"max_conns":4`, `"collect_body":true`, `"split_path":[".php"]`} {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %s", part, got)
		}
	}
}

// adapted returns the configuration in JSON of a site with these directives.
func adapted(t *testing.T, directives string) string {
	t.Helper()
	return adapt(t, "http://127.0.0.1:8080 {\n"+directives+"\n}")
}

func adapt(t *testing.T, text string) string {
	t.Helper()
	out, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return string(out)
}

// sorted is JSON with the names of its objects in order, where routes in a subroute of their own are
// as they are without.
func sorted(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	out, _ := json.MarshalIndent(v, "", " ")
	return string(out)
}

// The Caddyfiles of the documentation are as `caddy fmt` has them, and Caddy takes them.
func TestPrintedFiles(t *testing.T) {
	for _, name := range []string{"app", "php"} {
		text, err := os.ReadFile("../../docs/caddy-module/" + name + ".Caddyfile")
		if err != nil {
			t.Fatal(err)
		}
		if string(caddyfile.Format(text)) != string(text) {
			t.Errorf("%s.Caddyfile is not formatted", name)
		}
		adapt(t, string(text))
	}
}
