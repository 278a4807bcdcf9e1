//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// webHTTP is the dialect of net/http and of nginx.
type webHTTP struct{}

func (webHTTP) encode(q question) message {
	method, more := "GET", ""
	if q.upload > 0 {
		method = "POST"
		more = fmt.Sprintf("Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", q.upload)
	}
	if !q.keep {
		more += "Connection: close\r\n"
	}
	return message{
		head: fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: %s\r\nAccept: %s\r\n%s\r\n",
			method, harness.RequestURI(q.query), harness.UserAgent, harness.Accept, more),
		piece: uploadPiece,
		times: int(q.upload / pieceSize),
	}
}

func (webHTTP) read(in *bufio.Reader, a *harness.Answer) error {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.NoHeader()
	if resp.StatusCode != http.StatusOK {
		a.Fail("its status is %s", resp.Status)
	}
	_, err = io.Copy(bodyWriter{a}, resp.Body)
	return err
}

type bodyWriter struct{ *harness.Answer }

func (w bodyWriter) Write(p []byte) (int, error) {
	w.Body(p)
	return len(p), nil
}
