//go:build linux

package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
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
			method, requestURI(q), userAgent, accept, more),
		piece: uploadPiece,
		times: int(q.upload / pieceSize),
	}
}

func (webHTTP) read(in *bufio.Reader, a *answer) error {
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	a.inBody = true
	if resp.StatusCode != http.StatusOK {
		a.fail("its status is %s", resp.Status)
	}
	_, err = io.Copy(bodyWriter{a}, resp.Body)
	return err
}

type bodyWriter struct{ *answer }

func (w bodyWriter) Write(p []byte) (int, error) {
	w.body(p)
	return len(p), nil
}
