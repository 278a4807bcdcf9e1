package fcgi

import (
	"net"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

// Serve accepts FastCGI connections from l and has h answer their requests, each
// in a goroutine of its own. It returns when l fails for good or is closed, with
// the reason, and closes l. Requests that run by then go on.
//
// A nil l is the listening socket that the program was started with: standard
// input (§2.2), or systemd's LISTEN_FDS. FCGI_WEB_SERVER_ADDRS (§3.2) says who may
// connect to that one. A nil h is http.DefaultServeMux.
//
// The limits are those of the zero [fastcgi.Server]. What goes wrong is told to
// slog.Default().
func Serve(l net.Listener, h http.Handler) error {
	if l == nil {
		// Whoever made the socket has decided who can reach it.
		inherited, err := fastcgi.Listen("", &fastcgi.ListenOptions{AllowAnyAddress: true})
		if err != nil {
			return err
		}
		l = inherited
	}
	if h == nil {
		h = http.DefaultServeMux
	}
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(adapt(h))}
	return srv.Serve(l)
}

// adapt makes of a request by package fastcgi what h knows from net/http/fcgi.
//
// It changes the request in place, for the handler may leave things in it, such as
// the files of a form, that are cleared away after the request.
func adapt(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		completeURL(r)
		if r.Body != http.NoBody {
			r.Body = &body{r.Body, r.Context()}
		}
		h.ServeHTTP(w, r)
	})
}

// completeURL makes the URL absolute, as programs that build links on it expect.
// Its host is always that of the request.
func completeURL(r *http.Request) {
	if r.Host == "" || r.URL.Path == "*" {
		return
	}
	r.URL.Scheme, r.URL.Host = "http", r.Host
	if r.TLS != nil {
		r.URL.Scheme = "https"
	}
}
