package interop_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// A FileSender has lighttpd send a file.
func TestLighttpdFileSender(t *testing.T) {
	t.Parallel()
	lighttpd.find(t)
	p := newPlace(t)
	sendsFiles(t, p, &fastcgi.FileSender{Dir: p.path("files"), XSendfile: true})
	wantFile(t, lighttpd.run(t, p, "files.conf", ""))
}
