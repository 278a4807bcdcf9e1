// Longpoll has visitors wait for news, a hundred thousand if need be, without a goroutine for any of them.
//
//	go run ./examples/longpoll -listen unix:/tmp/longpoll.sock
//
// A POST makes its body the news. A GET with ?seen=3 is answered as soon as the news is another than number 3, or with
// status 204 after 25 s: then ask again.
package main

import (
	"context"
	"flag"
	"log"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/simple-fastcgi/fastcgi"
)

const patience = 25 * time.Second // web servers wait for 60 s, as a rule

func main() {
	listen := flag.String("listen", "", "where to listen, as in unix:/path or host:port (default: the socket that the web server passed)")
	flag.Parse()
	srv := &fastcgi.Server{Addr: *listen, AsyncHandler: newBoard()}
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal("longpoll: ", err)
	}
}

// A board has the latest news, and the exchanges that wait for the next, each with what stops its timer. Callbacks of
// several connections run at the same time, hence the mutex. Who takes an exchange out of the map answers it: nobody else.
type board struct {
	mu      sync.Mutex
	number  int // of the latest news
	text    string
	waiting map[fastcgi.Exchange]func() bool
}

func newBoard() *board { return &board{waiting: make(map[fastcgi.Exchange]func() bool)} }

func (b *board) ServeAsync(ex fastcgi.Exchange) {
	if ex.Params().Get("REQUEST_METHOD") == "POST" {
		ex.ReadAll(16<<10, func(body []byte, err error) { b.publish(ex, string(body), err) })
		return
	}
	query, _ := url.ParseQuery(ex.Params().Get("QUERY_STRING"))
	seen, _ := strconv.Atoi(query.Get("seen")) // what is no number has seen nothing
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.number != seen {
		tell(ex, b.number, b.text)
		return
	}
	b.waiting[ex] = ex.Loop().AfterFunc(patience, func() { b.sendAway(ex) })
	ex.OnAbort(func(error) { b.sendAway(ex) })
	ex.OnShutdown(func() { b.sendAway(ex) })
}

// sendAway ends the wait of an exchange, if it still waits, without news.
func (b *board) sendAway(ex fastcgi.Exchange) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if stop, waits := b.waiting[ex]; waits {
		stop()
		delete(b.waiting, ex)
		answer(ex, 204, "", nil)
	}
}

// publish makes text the news, and tells those who wait, in a goroutine of its own: the loop has others to serve.
func (b *board) publish(ex fastcgi.Exchange, text string, err error) {
	if err != nil {
		answer(ex, 413, "text/plain", nil) // or the visitor has left, and nobody sees this
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number, b.text = b.number+1, text
	go func(waiting map[fastcgi.Exchange]func() bool, number int) {
		for ex, stop := range waiting {
			stop()
			tell(ex, number, text)
		}
	}(b.waiting, b.number)
	b.waiting = make(map[fastcgi.Exchange]func() bool)
	answer(ex, 204, "", nil)
}

func tell(ex fastcgi.Exchange, number int, text string) {
	answer(ex, 200, "application/json", map[string]any{"number": number, "text": text})
}

// answer ends an exchange. It fails if the web server is gone, and then nobody is left to tell.
func answer(ex fastcgi.Exchange, code int, mimeType string, data any) {
	_ = fastcgi.SendResponse(ex, code, mimeType, data, fastcgi.Pair{Name: "Cache-Control", Value: "no-store"})
	_ = ex.Finish(0)
}
