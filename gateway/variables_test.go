package gateway_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// params answers with all parameters, as JSON.
func params(r *fakeapp.Request) string {
	b, _ := json.Marshal(r.Params)
	return "Content-Type: application/json\n\n" + string(b)
}

func decode(t *testing.T, text string) map[string]string {
	t.Helper()
	var m map[string]string
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v: %q", err, text)
	}
	return m
}

// unset marks a variable that must not be there.
const unset = "\x00"

func compare(t *testing.T, got, want map[string]string) {
	t.Helper()
	for name, value := range want {
		g, ok := got[name]
		if ok == (value == unset) || ok && g != value {
			t.Errorf("%s is %q (%v), want %q", name, g, ok, value)
		}
	}
}

var variableTests = []struct {
	name    string
	handler gateway.Handler
	request string // the whole of it
	want    map[string]string
}{
	{
		name:    "G8 what is always there",
		request: "GET /a%20b/c?x=1&y=%32 HTTP/1.1\r\nHost: example.org:8080\r\n\r\n",
		want: map[string]string{
			"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": gateway.DefaultServerSoftware,
			"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "example.org", "SERVER_ADDR": "127.0.0.1",
			"REQUEST_METHOD": "GET", "REQUEST_SCHEME": "http", "REQUEST_URI": "/a%20b/c?x=1&y=%32",
			"QUERY_STRING": "x=1&y=%32", "SCRIPT_NAME": "", "PATH_INFO": "/a b/c",
			"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "example.org:8080",
			"CONTENT_LENGTH": unset, "CONTENT_TYPE": unset, "HTTPS": unset, "DOCUMENT_ROOT": unset,
			"PATH_TRANSLATED": unset, "SCRIPT_FILENAME": unset, "SSL_PROTOCOL": unset, "REDIRECT_STATUS": unset,
		},
	},
	{
		name:    "G8 empty QUERY_STRING",
		request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		want:    map[string]string{"QUERY_STRING": "", "REQUEST_URI": "/", "SERVER_NAME": "a"},
	},
	{
		name:    "G8 HTTP/1.0 without Host",
		request: "GET / HTTP/1.0\r\n\r\n",
		want:    map[string]string{"SERVER_PROTOCOL": "HTTP/1.0", "SERVER_NAME": "127.0.0.1", "HTTP_HOST": unset},
	},
	{
		name:    "G8 IPv6 host",
		request: "GET / HTTP/1.1\r\nHost: [::1]\r\n\r\n",
		want:    map[string]string{"SERVER_NAME": "[::1]", "HTTP_HOST": "[::1]"},
	},
	{
		name:    "G8 absolute form",
		request: "GET http://example.org/p?q HTTP/1.1\r\nHost: other\r\n\r\n",
		want:    map[string]string{"REQUEST_URI": "/p?q", "PATH_INFO": "/p", "SERVER_NAME": "example.org"},
	},
	{
		name:    "G8 PATH_INFO decoded, case kept",
		request: "GET /%41b/%c3%a9/%2f HTTP/1.1\r\nHost: a\r\n\r\n",
		want:    map[string]string{"PATH_INFO": "/Ab/é//"},
	},
	{
		name:    "G8 body",
		request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: a/b\r\nContent-Length: 3\r\n\r\nabc",
		want:    map[string]string{"CONTENT_LENGTH": "3", "CONTENT_TYPE": "a/b", "HTTP_CONTENT_LENGTH": unset, "HTTP_CONTENT_TYPE": unset},
	},
	{
		name:    "G8 length after decoding chunked",
		request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
		want:    map[string]string{"CONTENT_LENGTH": "3", "HTTP_TRANSFER_ENCODING": unset},
	},
	{
		name:    "G8 no length without a body",
		request: "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
		want:    map[string]string{"CONTENT_LENGTH": unset},
	},
	{
		name:    "G8 empty chunked body",
		request: "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		want:    map[string]string{"CONTENT_LENGTH": unset},
	},
	{
		name:    "G8 repeated fields",
		request: "GET / HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nx-a: 2\r\nCookie: c=1\r\nCookie: d=2\r\n\r\n",
		want:    map[string]string{"HTTP_X_A": "1, 2", "HTTP_COOKIE": "c=1; d=2"},
	},
	{
		name:    "GHSA-f59h-q822-g45g aliases, CVE-2016-5386 Proxy",
		request: "GET / HTTP/1.1\r\nHost: a\r\nRemote-User: ok\r\nRemote_User: evil\r\nRemote.User: evil\r\nProxy: evil\r\n\r\n",
		want:    map[string]string{"HTTP_REMOTE_USER": "ok", "HTTP_PROXY": unset, "HTTP_REMOTE.USER": unset},
	},
	{
		name:    "prefix",
		handler: gateway.Handler{Prefix: "/app", Root: "/srv/www", ScriptFilename: "/srv/app.php", ServerSoftware: "me/1"},
		request: "GET /app/x/../y HTTP/1.1\r\nHost: a\r\n\r\n",
		want: map[string]string{
			"SCRIPT_NAME": "/app", "PATH_INFO": "/x/../y", "DOCUMENT_ROOT": "/srv/www",
			"PATH_TRANSLATED": "/srv/www/y", "SCRIPT_FILENAME": "/srv/app.php", "REDIRECT_STATUS": "200",
			"SERVER_SOFTWARE": "me/1",
		},
	},
	{
		name:    "G8 no PATH_TRANSLATED without PATH_INFO",
		handler: gateway.Handler{Prefix: "/app", Root: "/srv/www"},
		request: "GET /app HTTP/1.1\r\nHost: a\r\n\r\n",
		want:    map[string]string{"SCRIPT_NAME": "/app", "PATH_INFO": "", "PATH_TRANSLATED": unset},
	},
	{
		name:    "PATH_TRANSLATED stays under Root",
		handler: gateway.Handler{Root: "/srv/www"},
		request: "GET /../../etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n",
		want:    map[string]string{"PATH_TRANSLATED": "/srv/www/etc/passwd"},
	},
	{
		name: "further params",
		handler: gateway.Handler{Params: func(r *http.Request) []client.Pair {
			return []client.Pair{{Name: "REMOTE_USER", Value: "ann"}, {Name: "SERVER_NAME", Value: r.Host + "!"}}
		}},
		request: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
		want:    map[string]string{"REMOTE_USER": "ann", "SERVER_NAME": "a!"},
	},
}

// exchangeRaw sends bytes on a connection of its own and returns the answer.
func (f *front) exchangeRaw(t *testing.T, request string) string {
	t.Helper()
	nc, err := net.Dial("tcp", f.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	go io.WriteString(nc, strings.Replace(request, "\r\nHost:", "\r\nConnection: close\r\nHost:", 1))
	answer, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

func TestVariables(t *testing.T) {
	for _, tt := range variableTests {
		t.Run(tt.name, func(t *testing.T) {
			f := scripted(t, &tt.handler, params)
			_, body, _ := strings.Cut(f.exchangeRaw(t, tt.request), "\r\n\r\n")
			body = body[strings.IndexByte(body, '{') : strings.LastIndexByte(body, '}')+1] // out of its chunk
			got := decode(t, body)
			compare(t, got, tt.want)
			_, port, _ := net.SplitHostPort(f.Listener.Addr().String())
			compare(t, got, map[string]string{"SERVER_PORT": port})
			if got["REMOTE_PORT"] == "" {
				t.Error("no REMOTE_PORT")
			}
		})
	}
}

// serve answers one request without a network in front.
func serve(t *testing.T, r *http.Request) map[string]string {
	t.Helper()
	c := &client.Client{Addr: fakeapp.Start(t, func(a *fakeapp.Conn) {
		q := a.Request()
		a.Say(q.Answer(params(q)))
	})}
	defer c.Close()
	w := httptest.NewRecorder()
	(&gateway.Handler{Client: c}).ServeHTTP(w, r)
	return decode(t, w.Body.String())
}

// G8: REMOTE_ADDR and SERVER_PORT are there wherever a request comes from.
func TestG8AddressesThatAreNotIP(t *testing.T) {
	for _, tt := range []struct{ url, remote, addr, port string }{
		{"http://h/", "@", "@", "80"},
		{"https://h/", "", "", "443"},
		{"http://h:99/", "[2001:db8::1]:1234", "2001:db8::1", "99"},
	} {
		r := httptest.NewRequest("GET", tt.url, nil)
		r.RemoteAddr = tt.remote
		compare(t, serve(t, r), map[string]string{"REMOTE_ADDR": tt.addr, "SERVER_PORT": tt.port, "SERVER_ADDR": unset})
	}
}

func TestG8TLS(t *testing.T) {
	for _, tt := range []struct {
		version uint16
		name    string
	}{{tls.VersionTLS12, "TLSv1.2"}, {tls.VersionTLS13, "TLSv1.3"}} {
		c := &client.Client{Addr: fakeapp.Start(t, func(a *fakeapp.Conn) {
			q := a.Request()
			a.Say(q.Answer(params(q)))
		})}
		defer c.Close()
		s := httptest.NewUnstartedServer(&gateway.Handler{Client: c})
		s.TLS = &tls.Config{MaxVersion: tt.version, ClientAuth: tls.RequestClientCert}
		s.StartTLS()
		defer s.Close()
		transport := s.Client().Transport.(*http.Transport)
		get := func(certs ...tls.Certificate) map[string]string {
			transport.CloseIdleConnections()
			transport.TLSClientConfig.Certificates = certs
			resp, err := s.Client().Get(s.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			return decode(t, string(body))
		}
		got := get()
		compare(t, got, map[string]string{
			"HTTPS": "on", "REQUEST_SCHEME": "https", "SSL_PROTOCOL": tt.name,
			"SSL_CLIENT_VERIFY": "NONE", "SSL_CLIENT_S_DN": unset,
		})
		// As OpenSSL has them: with the prefix only those of TLS 1.3.
		if cipher := got["SSL_CIPHER"]; cipher == "" || strings.HasPrefix(cipher, "TLS_") != (tt.name == "TLSv1.3") {
			t.Errorf("SSL_CIPHER is %q", got["SSL_CIPHER"])
		}
		compare(t, get(s.TLS.Certificates...), map[string]string{
			"SSL_CLIENT_VERIFY": "GENEROUS", "SSL_CLIENT_S_DN": "O=Acme Co", "SSL_CLIENT_I_DN": "O=Acme Co",
		})
	}
}
