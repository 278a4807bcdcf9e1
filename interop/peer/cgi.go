package main

import (
	"fmt"
	"net/http"
	"os"
	"strings"
)

// handleCGI answers the one request of a CGI program.
func handleCGI(rw http.ResponseWriter, r *http.Request) {
	env := make(map[string]string)
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		env[name] = value
	}
	perform(rw, r, env, process{})
}

// A process is what a CGI program has beyond net/http/cgi.
type process struct{}

func (process) stderr(text string) { fmt.Fprintln(os.Stderr, text) }

func (process) exit(code uint32) { status = int(code) }

// status is what the process exits with.
var status int

// localRedirect answers without net/http/cgi, which always sends a status.
func (process) localRedirect(_ http.ResponseWriter, to string) {
	fmt.Printf("Location: %s\r\n\r\n", to)
	os.Exit(0)
}
