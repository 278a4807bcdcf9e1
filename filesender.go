package fastcgi

import (
	"errors"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

// A FileSender answers with files that the web server sends: the application
// decides who gets what, and is done. Where the web server cannot do that, or
// was not told of the files, it sends them itself, as http.ServeContent does.
//
// Which web server it is tells SERVER_SOFTWARE, request by request, so the same
// program works behind any, and as an http.Server.
//
//	files := &fastcgi.FileSender{Dir: "/srv/app/files", Location: "/files/", XSendfile: true}
//	...
//	files.SendFile(w, r, "reports/2026.pdf")
type FileSender struct {
	// Dir is the directory with the files, an absolute path.
	Dir string
	// Location is the internal location of nginx that stands for Dir, such as
	// "/files/": there, "internal" and "alias /srv/app/files/". Empty means that
	// there is none.
	Location string
	// XSendfile says that lighttpd ("x-sendfile" and "x-sendfile-docroot") or
	// Apache (mod_xsendfile; its version 1.0 with "XSendFileUnescape off") may send
	// what is in Dir.
	XSendfile bool
}

// SendFile answers a request with a file. The name is below Dir, with slashes, and
// must not lead out of it, by symbolic links neither; where there is no such
// regular file the answer is status 404, or 403 if it must not be read. Header
// fields that were set before stay as they are; if Content-Type was not, it
// depends on the name.
func (s *FileSender) SendFile(w http.ResponseWriter, r *http.Request, name string) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		refuseFile(w, err)
		return
	}
	field, value := s.instruction(r, name)
	if field == "" {
		serveFile(w, r, root, name)
		return
	}
	header := w.Header()
	if kind := mime.TypeByExtension(path.Ext(name)); header["Content-Type"] == nil && kind != "" {
		header.Set("Content-Type", kind)
	}
	header["Content-Length"] = nil // which the web server knows
	header.Set(field, value)
}

// instruction returns the header field that has the web server send a file, or
// none.
func (s *FileSender) instruction(r *http.Request, name string) (field, value string) {
	request := FromContext(r.Context())
	if request == nil {
		return "", ""
	}
	product, _, _ := strings.Cut(request.Params.Get("SERVER_SOFTWARE"), "/")
	switch product {
	case "nginx":
		if s.Location != "" {
			return "X-Accel-Redirect", s.Location + escapePath(name)
		}
	case "lighttpd":
		if s.XSendfile {
			return "X-Sendfile", escapePath(path.Join(s.Dir, name))
		}
	case "Apache":
		// It takes the path as it is, so what no header can say has no name there.
		p := path.Join(s.Dir, name)
		if s.XSendfile && cgi.ValidValue(p) && strings.TrimRight(p, " \t") == p {
			return "X-Sendfile", p
		}
	}
	return "", ""
}

// escapePath escapes all but the slashes of a path.
func escapePath(p string) string {
	segments := strings.Split(path.Clean(p), "/")
	for i, s := range segments {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

func serveFile(w http.ResponseWriter, r *http.Request, root *os.Root, name string) {
	f, err := root.Open(name)
	if err != nil {
		refuseFile(w, err)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		refuseFile(w, err)
		return
	}
	http.ServeContent(w, r, name, info.ModTime(), f)
}

// refuseFile answers where there is no file to send.
func refuseFile(w http.ResponseWriter, err error) {
	code := http.StatusNotFound
	if errors.Is(err, fs.ErrPermission) {
		code = http.StatusForbidden
	}
	http.Error(w, http.StatusText(code), code)
}
