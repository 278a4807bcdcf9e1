package fastcgi_test

import (
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
)

func ExampleNewLogHandler() {
	logger := slog.New(fastcgi.NewLogHandler(slog.NewTextHandler(os.Stderr, nil), nil))
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		logger.WarnContext(r.Context(), "no such user", "name", "joe")
		fmt.Fprintln(w, "who are you?")
	}))}
	ask(srv)
	// Output:
	// who are you?
	// error log: level=WARN msg="no such user" name=joe
}

func ExampleFileSender_SendFile() {
	dir, err := os.MkdirTemp("", "files")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "report.txt"), []byte("all is well\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	files := &fastcgi.FileSender{Dir: dir, Location: "/files/"}
	srv := &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		files.SendFile(w, r, "report.txt")
	}))}
	// Caddy has no way to be asked; nginx would get X-Accel-Redirect: /files/report.txt
	// and send the file itself.
	ask(srv, client.Pair{Name: "SERVER_SOFTWARE", Value: "Caddy/2.6.2"})
	// Output:
	// all is well
}

func ExampleRequest_SetReadDeadline() {
	srv := &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		if err := r.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			return // the web server has gone away
		}
		body, err := io.ReadAll(r) // os.ErrDeadlineExceeded after a minute
		if err != nil {
			_ = fastcgi.SendResponse(w, http.StatusRequestTimeout, "text/plain", nil)
			return
		}
		_ = fastcgi.SendResponse(w, http.StatusOK, "text/plain", fmt.Sprintln(len(body), "bytes"))
	})}
	ask(srv)
	// Output:
	// 0 bytes
}
