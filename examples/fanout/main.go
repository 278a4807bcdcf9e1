// Fanout sends one stream of events to everybody who listens, as Server-Sent Events, without a goroutine for any of them.
//
//	go run ./examples/fanout -listen unix:/tmp/fanout.sock
//
// A POST makes its body an event; a GET, or new EventSource("/") in a browser, listens. Nobody waits for those who take
// events slowly: they miss some, and are told how many by an event of the type "missed".
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

func main() {
	listen := flag.String("listen", "", "where to listen, as in unix:/path or host:port (default: the socket that the web server passed)")
	flag.Parse()
	if err := newServer(*listen).Run(context.Background()); err != nil {
		log.Fatal("fanout: ", err)
	}
}

func newServer(addr string) *fastcgi.Server {
	h := &hub{missed: make(map[fastcgi.Exchange]int), last: time.Now()}
	h.srv = &fastcgi.Server{Addr: addr, AsyncHandler: h, ServiceActions: func() { h.post(h.stayAwake) }}
	return h.srv
}

// A hub has the exchanges that listen, each with how many events it has missed since it was full. Only what is posted to
// the server's loop uses these, one after the other: there is no mutex, and events arrive in the order of their posts.
type hub struct {
	srv    *fastcgi.Server
	missed map[fastcgi.Exchange]int
	last   time.Time // when something was sent to all
}

func (h *hub) post(f func()) { h.srv.Loop().Post(f) }

func (h *hub) ServeAsync(ex fastcgi.Exchange) {
	if ex.Params().Get("REQUEST_METHOD") == "POST" {
		ex.ReadAll(16<<10, func(body []byte, err error) { h.publish(ex, string(body), err) })
		return
	}
	// The field is for nginx. What fails here and below does so because the web server is gone, and OnAbort knows.
	_ = fastcgi.SendResponse(ex, 200, "text/event-stream", nil, fastcgi.Pair{Name: "X-Accel-Buffering", Value: "no"})
	h.post(func() { h.missed[ex] = 0 })
	_ = ex.Flush()
	ex.OnDrain(func() { h.post(func() { h.tellMissed(ex) }) })
	leave := func() { h.post(func() { delete(h.missed, ex); _ = ex.Finish(0) }) }
	ex.OnAbort(func(error) { leave() })
	ex.OnShutdown(leave)
}

// publish has the hub send the text of a POST, each line of it as data (\r is the end of a line, too).
func (h *hub) publish(ex fastcgi.Exchange, text string, err error) {
	code := 413 // or the visitor has left, and nobody sees this
	if err == nil {
		code = 204
		data := strings.NewReplacer("\r\n", "\ndata: ", "\r", "\ndata: ", "\n", "\ndata: ").Replace(text)
		h.post(func() { h.sendAll("data: "+data+"\n\n", 1) })
	}
	_ = fastcgi.SendResponse(ex, code, "", nil)
	_ = ex.Finish(0)
}

// sendAll writes to all who listen. For who is full, or has missed something before, it counts as so many events missed.
func (h *hub) sendAll(text string, events int) {
	h.last = time.Now()
	for ex, missed := range h.missed {
		if missed > 0 || send(ex, text) != nil {
			h.missed[ex] += events
		}
	}
}

func (h *hub) tellMissed(ex fastcgi.Exchange) {
	if n := h.missed[ex]; n > 0 && send(ex, fmt.Sprintf("event: missed\ndata: %d\n\n", n)) == nil {
		h.missed[ex] = 0
	}
}

// stayAwake sends a comment after a silence: web servers give up on one of 60 s, as a rule.
func (h *hub) stayAwake() {
	if time.Since(h.last) >= 20*time.Second {
		h.sendAll(":\n\n", 0)
	}
}

func send(ex fastcgi.Exchange, text string) error {
	_, err := ex.WriteString(text)
	_ = ex.Flush()
	return err
}
