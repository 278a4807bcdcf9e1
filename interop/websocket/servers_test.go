package websocket_test

import (
	"context"
	"net/http"
	"time"

	coder "github.com/coder/websocket"
	gorilla "github.com/gorilla/websocket"
)

// echoes are the applications: what they receive, they send back. They report how their connection ended.
var echoes = []struct {
	library string
	handler func(ended chan<- error) http.Handler
}{
	{"gorilla", gorillaEcho},
	{"coder", coderEcho},
}

// gorillaEcho hijacks first and writes the head of the response itself.
func gorillaEcho(ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			ended <- err
			return
		}
		defer c.Close()
		for {
			kind, text, err := c.ReadMessage()
			if err == nil {
				c.SetWriteDeadline(time.Now().Add(patience))
				err = c.WriteMessage(kind, text)
			}
			if err != nil {
				ended <- err
				return
			}
		}
	})
}

// coderEcho has the head written before it hijacks.
func coderEcho(ended chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := coder.Accept(w, r, nil)
		if err != nil {
			ended <- err
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, text, err := c.Read(context.Background())
			if err == nil {
				err = c.Write(context.Background(), kind, text)
			}
			if err != nil {
				ended <- err
				return
			}
		}
	})
}

// closedNormally reports whether a library's error is the other side's proper close.
func closedNormally(err error) bool {
	return gorilla.IsCloseError(err, gorilla.CloseNormalClosure) || coder.CloseStatus(err) == coder.StatusNormalClosure
}
