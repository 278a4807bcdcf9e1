package fastcgitest_test

import (
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

// params sends a request and returns the parameters that arrive.
func params(t *testing.T, req *fastcgitest.Request) fastcgi.Params {
	t.Helper()
	var got fastcgi.Params
	h := fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		got = r.Params
		fastcgi.SendResponse(w, 204, "", nil)
	})
	if _, err := fastcgitest.Serve(t.Context(), h, req); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestNewRequest(t *testing.T) {
	always := map[string]string{
		"GATEWAY_INTERFACE": "CGI/1.1", "SERVER_SOFTWARE": "fastcgitest", "SERVER_PROTOCOL": "HTTP/1.1",
		"SERVER_ADDR": "192.0.2.2", "REMOTE_ADDR": "192.0.2.1", "REMOTE_PORT": "1234", "SCRIPT_NAME": "",
	}
	for _, tt := range []struct {
		method, target string
		body           io.Reader
		want           map[string]string
	}{
		{"GET", "/", nil, map[string]string{
			"REQUEST_METHOD": "GET", "REQUEST_URI": "/", "QUERY_STRING": "", "PATH_INFO": "/", "REQUEST_SCHEME": "http",
			"SERVER_NAME": "example.com", "SERVER_PORT": "80", "HTTP_HOST": "example.com",
		}},
		{"", "/a%20b?c=%20d", strings.NewReader("body"), map[string]string{
			"REQUEST_METHOD": "GET", "REQUEST_URI": "/a%20b?c=%20d", "QUERY_STRING": "c=%20d", "PATH_INFO": "/a b", "REQUEST_SCHEME": "http",
			"SERVER_NAME": "example.com", "SERVER_PORT": "80", "HTTP_HOST": "example.com", "CONTENT_LENGTH": "4",
		}},
		{"POST", "https://example.org/a?b", bytes.NewReader([]byte("body")), map[string]string{
			"REQUEST_METHOD": "POST", "REQUEST_URI": "/a?b", "QUERY_STRING": "b", "PATH_INFO": "/a", "REQUEST_SCHEME": "https", "HTTPS": "on",
			"SERVER_NAME": "example.org", "SERVER_PORT": "443", "HTTP_HOST": "example.org", "CONTENT_LENGTH": "4",
		}},
		{"PUT", "http://[2001:db8::1]:8080", bytes.NewBufferString(""), map[string]string{
			"REQUEST_METHOD": "PUT", "REQUEST_URI": "/", "QUERY_STRING": "", "PATH_INFO": "/", "REQUEST_SCHEME": "http",
			"SERVER_NAME": "2001:db8::1", "SERVER_PORT": "8080", "HTTP_HOST": "[2001:db8::1]:8080", "CONTENT_LENGTH": "0",
		}},
		{"GET", "//host/path", io.MultiReader(), map[string]string{
			"REQUEST_METHOD": "GET", "REQUEST_URI": "//host/path", "QUERY_STRING": "", "PATH_INFO": "//host/path", "REQUEST_SCHEME": "http",
			"SERVER_NAME": "example.com", "SERVER_PORT": "80", "HTTP_HOST": "example.com",
		}},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			got := params(t, fastcgitest.NewRequest(tt.method, tt.target, tt.body))
			maps.Copy(tt.want, always)
			if !maps.Equal(got.Map(), tt.want) {
				t.Errorf("the parameters are %v, want %v", got.Map(), tt.want)
			}
		})
	}
}

func TestRequestsThatCannotBeSent(t *testing.T) {
	field := fastcgitest.NewRequest("GET", "/", nil)
	field.Header.Set("Proxy", "http://192.0.2.9")
	data := fastcgitest.NewRequest("GET", "/", nil)
	data.Data = strings.NewReader("data")
	for _, tt := range []struct {
		name string
		req  *fastcgitest.Request
		says string
	}{
		{"target", fastcgitest.NewRequest("GET", "hello", nil), `NewRequest("GET", "hello")`},
		{"method", fastcgitest.NewRequest("G T", "/", nil), `NewRequest("G T", "/")`},
		{"a field that is not passed on", field, `"Proxy"`},
		{"data for no filter", data, "RESPONDER"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := fastcgi.HandlerFunc(func(fastcgi.ResponseWriter, *fastcgi.Request) { t.Error("it was sent") })
			resp, err := fastcgitest.Serve(t.Context(), h, tt.req)
			if err == nil || !strings.Contains(err.Error(), tt.says) || resp == nil {
				t.Errorf("the response is %v, the error %v", resp, err)
			}
			if _, err := fastcgitest.NewRecorder(t.Context(), tt.req); err == nil {
				t.Error("there is a Recorder")
			}
		})
	}
}

func TestHeaderBecomesParams(t *testing.T) {
	req := fastcgitest.NewRequest("POST", "/", strings.NewReader("body"))
	req.Header = http.Header{
		"User-Agent":     {"test"},
		"Accept":         {"a/b", "c/d"},
		"Cookie":         {"a=b", "c=d"},
		"Content-Type":   {"text/plain"},
		"Content-Length": {"3"},
		"Host":           {"ignored.example"},
		"X-Real-Ip":      {"192.0.2.7"},
		"X-None":         nil,
	}
	req.SetParam("HTTP_X_REAL_IP", "192.0.2.8")
	got := params(t, req)
	for name, want := range map[string]string{
		"HTTP_USER_AGENT": "test",
		"HTTP_ACCEPT":     "a/b, c/d",
		"HTTP_COOKIE":     "a=b; c=d",
		"CONTENT_TYPE":    "text/plain",
		"CONTENT_LENGTH":  "3",
		"HTTP_HOST":       "example.com",
		"HTTP_X_REAL_IP":  "192.0.2.8",
	} {
		if value := got.Get(name); value != want {
			t.Errorf("%s is %q, want %q", name, value, want)
		}
	}
	if n := len(got.Map()); n != got.Len() {
		t.Errorf("%d parameters have %d names", got.Len(), n)
	}
	if _, ok := got.Lookup("HTTP_X_NONE"); ok {
		t.Error("a field without a value was sent")
	}
}

func TestParams(t *testing.T) {
	pair := func(name, value string) fastcgi.Pair { return fastcgi.Pair{Name: name, Value: value} }
	req := &fastcgitest.Request{Params: []fastcgi.Pair{pair("A", "1"), pair("B", "2"), pair("A", "3")}}
	if got := req.Param("A") + req.Param("B") + req.Param("C"); got != "32" {
		t.Errorf("A, B and C are %q", got)
	}
	req.SetParam("A", "4")
	req.SetParam("C", "5")
	req.DelParam("B")
	req.DelParam("D")
	req.Params = append(req.Params, pair("C", "6"))
	var got []string
	for name, value := range params(t, req).All() {
		got = append(got, name+value)
	}
	if text := strings.Join(got, " "); text != "A4 C5 C6" {
		t.Errorf("the parameters are %s", text)
	}
}
