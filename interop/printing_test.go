package interop_test

import (
	"fmt"
	"log"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// prints is a handler that prints wherever a program can, before its answer and behind it.
func prints(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
	fmt.Println(printedLine)
	log.Println(printedLog)
	if _, err := syscall.Write(1, []byte(printedFd+"\n")); err != nil {
		log.Println(err)
	}
	child := exec.Command("/bin/echo", printedChild)
	child.Stdout = os.Stdout
	if err := child.Run(); err != nil {
		log.Println(err)
	}
	if err := fastcgi.SendResponse(w, 200, "text/plain", "answered\n"); err != nil {
		log.Println(err)
	}
	if err := w.Flush(); err != nil {
		log.Println(err)
	}
	fmt.Println(printedBehind)
}

// What prints prints.
const (
	printedLine   = "by fmt.Println"
	printedLog    = "by package log"
	printedFd     = "to descriptor 1 itself"
	printedChild  = "by a child"
	printedBehind = "behind the answer"
)

// W8: a plain CGI program may print. The client gets its answer, and the web server's error log all that was printed.
func TestW8PrintingBehindWebServers(t *testing.T) {
	for name, w := range map[string]*webServer{
		"mod_cgid": apache, "mod_cgi": apacheForking(), "fcgiwrap": nginxWrapping(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := w.startingPart("prints").run(t, newPlace(t), "cgi.conf", "")
			for _, a := range []answer{s.get(t, ""), s.post(t, "", strings.Repeat("body", 10_000))} {
				a.want(t, 200, "answered\n")
				if a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
					t.Errorf("the header is %v", a.Header)
				}
			}
			s.wantLog(t, printedLine, printedLog, printedFd, printedChild, printedBehind)
		})
	}
}
