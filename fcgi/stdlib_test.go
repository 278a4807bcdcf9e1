package fcgi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// What follows is what the standard library's own tests of its package hold, as far as a program can see it. Each runs
// with either import.

// A17: lengths take one byte up to 127, and four above.
func TestSizes(t *testing.T) {
	both(t, func(t *testing.T, impl implementation) {
		got := map[string]string{}
		w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) { got = impl.processEnv(r) })
		want := map[string]string{}
		var pairs []byte
		for _, size := range []struct {
			length  int
			encoded string
		}{
			{0, "\x00"},
			{127, "\x7f"},
			{128, "\x80\x00\x00\x80"},
			{1000, "\x80\x00\x03\xe8"},
		} {
			name, value := fmt.Sprintf("V%04d", size.length), strings.Repeat("v", size.length)
			pairs = append(pairs, "\x05"+size.encoded+name+value...)
			want[name] = value
		}
		w.send(
			begin(1, protocol.RoleResponder, keep),
			stream(protocol.TypeParams, 1, string(pairs)),
			params(1),
			stdin(1, ""),
		)
		if !maps.Equal(got, want) {
			t.Errorf("got %q", got)
		}
	})
}

// A3, A7, A8: a body in records of the largest size, padded; an answer that takes two records; an id of two bytes.
func TestStreams(t *testing.T) {
	const id = 300
	text := strings.Repeat("0123456789", 6600)
	both(t, func(t *testing.T, impl implementation) {
		w := impl.start(t, func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			w.Write(body)
		})
		w.send(
			open(id, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", fmt.Sprint(len(text))),
			padded(protocol.TypeStdin, id, text[:65535], 1),
			padded(protocol.TypeStdin, id, text[65535:], 7),
			stdin(id, ""),
		)
		if a := w.answer(id); a.body() != text || len(a.ends) != 1 || a.ends[0] != (protocol.EndRequest{}) {
			t.Errorf("%d bytes came back, and %v", len(a.body()), a.ends)
		}
		all := w.records()
		last := all[max(0, len(all)-2)]
		if last.Type != protocol.TypeStdout || last.content != "" {
			t.Errorf("before the end came %v with %d bytes", last.Type, len(last.content))
		}
	})
}

// padded is a record with padding of zeros.
func padded(typ protocol.RecordType, id uint16, content string, padding int) []byte {
	h := protocol.Header{Type: typ, RequestID: id, ContentLength: uint16(len(content)), PaddingLength: uint8(padding)}
	return slices.Concat(protocol.AppendHeader(nil, h), []byte(content), make([]byte, padding))
}

// A23: a web server may ask whether requests share a connection.
func TestGetValues(t *testing.T) {
	both(t, func(t *testing.T, impl implementation) {
		w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
		w.send(protocol.AppendGetValues(nil, protocol.VarMpxsConns))
		got := w.records()
		if len(got) == 0 || got[0].Type != protocol.TypeGetValuesResult || got[0].content != "\x0f\x01FCGI_MPXS_CONNS1" {
			t.Errorf("got %v", got)
		}
	})
}

// A31, A33: reading the body of a request that is over says why. The errors are compared as programs do.
func TestBodyErrors(t *testing.T) {
	const part = "0123456789abcdef"
	for _, tt := range []struct {
		name string
		end  func(w *web)
		want func(impl implementation) error
		is   []error // with ours
	}{
		{
			"aborted", func(w *web) { w.send(abort(1)) },
			func(impl implementation) error { return impl.errAborted },
			[]error{fastcgi.ErrAborted},
		},
		{
			"connection closed", func(w *web) { w.Close() },
			func(impl implementation) error { return impl.errClosed },
			[]error{fastcgi.ErrDisconnected, io.ErrUnexpectedEOF},
		},
		{
			"protocol broken", func(w *web) { w.send([]byte("GET / HTTP/1.1\r\n\r\n")) },
			func(impl implementation) error { return impl.errClosed },
			[]error{fastcgi.ErrDisconnected, io.ErrUnexpectedEOF},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			both(t, func(t *testing.T, impl implementation) {
				var got bytes.Buffer
				var err error
				w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) { _, err = got.ReadFrom(r.Body) })
				w.send(open(1, "REQUEST_METHOD", "POST"), stdin(1, part))
				tt.end(w)
				synctest.Wait()
				if err != tt.want(impl) || got.String() != part {
					t.Errorf("read %q, then %v", got.String(), err)
				}
				for _, is := range tt.is {
					if impl.name == ours.name && !errors.Is(err, is) {
						t.Errorf("it is not %v", is)
					}
				}
			})
		})
	}
}

// A20: parameters that are cut short do no harm.
func TestMalformedParams(t *testing.T) {
	both(t, func(t *testing.T, impl implementation) {
		w := impl.start(t, func(http.ResponseWriter, *http.Request) {})
		w.send(begin(1, protocol.RoleResponder, keep), stream(protocol.TypeParams, 1, "\x32\x32\x03\x04\x05\x06\x07\x08\x09\x0a", ""))
		if got := w.answer(1); got.stdout != "" {
			t.Errorf("got %q", got.stdout)
		}
	})
}

func TestProcessEnv(t *testing.T) {
	pairs := []string{
		"REMOTE_USER", "jane", "QUERY_STRING", "a=b", "CONTENT_LENGTH", "0", "CONTENT_TYPE", "text/plain", "HTTPS", "on",
		"PATH_INFO", "/p", "SCRIPT_NAME", "/s", "REMOTE_ADDR", "192.0.2.1", "REMOTE_PORT", "1234", "REMOTE_HOST", "h",
		"HTTP_ACCEPT", "*/*", "HTTP_", "x", "HTTP", "x", "http_accept", "x", "SERVER_NAME", "n", "SERVER_PORT", "443",
		"SERVER_ADDR", "192.0.2.2", "SSL_PROTOCOL", "TLSv1.3", "REQUEST_SCHEME", "https", "DOCUMENT_ROOT", "/var/www",
		"GATEWAY_INTERFACE", "CGI/1.1", "EMPTY", "", "", "nameless", "TWICE", "1", "TWICE", "2",
	}
	want := map[string]string{
		"REMOTE_USER": "jane", "HTTP": "x", "http_accept": "x", "SERVER_NAME": "n", "SERVER_PORT": "443",
		"SERVER_ADDR": "192.0.2.2", "SSL_PROTOCOL": "TLSv1.3", "REQUEST_SCHEME": "https", "DOCUMENT_ROOT": "/var/www",
		"GATEWAY_INTERFACE": "CGI/1.1", "EMPTY": "", "": "nameless", "TWICE": "2",
	}
	both(t, func(t *testing.T, impl implementation) {
		var got map[string]string
		w := impl.start(t, func(_ http.ResponseWriter, r *http.Request) { got = impl.processEnv(r) })
		w.send(get(1, pairs...))
		if !maps.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		if got := impl.processEnv(new(http.Request)); got != nil {
			t.Errorf("a request from elsewhere has %q", got)
		}
	})
}

func TestContentTypeIsSniffed(t *testing.T) {
	for name, tt := range map[string]struct{ body, want string }{
		"HTML": {"<html><head><title>a</title></head><body>b</body></html>", "text/html; charset=utf-8"},
		"text": {strings.Repeat("text ", 100), "text/plain; charset=utf-8"},
		"JPEG": {"\xff\xd8\xff" + strings.Repeat("a", 1000), "image/jpeg"},
	} {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, impl implementation) {
				w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, tt.body) })
				w.send(get(1))
				if got := w.answer(1).field("Content-Type"); !slices.Equal(got, []string{tt.want}) {
					t.Errorf("got %q", got)
				}
			})
		})
	}
}

// A29: a connection that is not to be kept is closed, also when the body ends after the answer.
func TestSlowBody(t *testing.T) {
	both(t, func(t *testing.T, impl implementation) {
		w := impl.start(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
		w.send(begin(1, protocol.RoleResponder, 0), params(1), stdin(1, "0123456789abcdef"))
		w.send(stdin(1, ""))
		// A pipe has no halves to close, so the web server is given its time to stop sending first.
		time.Sleep(time.Minute)
		if a := w.answer(1); a.status() != "200 OK" || len(a.ends) != 1 || w.gone() == 0 {
			t.Errorf("answered %q, ended %d times, closed: %v", a.status(), len(a.ends), w.gone() != 0)
		}
	})
}
