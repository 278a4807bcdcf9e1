package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/fcgi"
	"os"
	"strconv"
	"time"
)

// playApplication is the application that most tests serve. It stands on net/http/fcgi, so that this tool's own idea
// of FastCGI is not tested against itself.
func playApplication([]string) int {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "application: %s %s\n", r.Method, r.URL.Path)
	})
	mux.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, os.Getpid()) })
	mux.HandleFunc("/say", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(os.Stderr, r.FormValue("text"))
		fmt.Fprintln(w, "said")
	})
	mux.HandleFunc("/exit", func(_ http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.FormValue("status"))
		os.Exit(status)
	})
	mux.HandleFunc("/environment", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.Getenv(r.FormValue("name")))
	})
	mux.HandleFunc("/hold", hold)
	if err := fcgi.Serve(nil, mux); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 97
}

// hold connects to the address in the query and answers when that connection ends.
func hold(w http.ResponseWriter, r *http.Request) {
	conn, err := net.Dial("tcp", r.FormValue("until"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	io.Copy(io.Discard, conn)
	fmt.Fprintln(w, "held")
}

// playExit says something, if there is something to say, and exits with a status.
func playExit(args []string) int {
	for _, line := range args[1:] {
		fmt.Fprintln(os.Stderr, line)
	}
	status, _ := strconv.Atoi(args[0])
	return status
}

// playMute runs and takes no connection.
func playMute([]string) int {
	time.Sleep(time.Hour)
	return 96
}

// playSMTP greets whoever connects.
func playSMTP([]string) int {
	l, err := net.FileListener(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 95
	}
	for {
		conn, err := l.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 94
		}
		fmt.Fprint(conn, "220 mail.example.org ready\r\n")
		io.Copy(io.Discard, conn)
		conn.Close()
	}
}
