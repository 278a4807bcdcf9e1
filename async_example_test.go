package fastcgi_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

// An answer that takes its time, with no goroutine that waits for it.
func ExampleAsyncHandler() {
	later := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		stop := ex.Loop().AfterFunc(10*time.Millisecond, func() {
			_ = fastcgi.SendResponse(ex, 200, "text/plain", "good morning\n")
			_ = ex.Finish(0)
		})
		ex.OnAbort(func(error) { // the visitor has left
			stop()
			_ = ex.Finish(0)
		})
	})
	// A program has it as Server.AsyncHandler.
	printAnswer(fastcgitest.ServeAsync(context.Background(), later, fastcgitest.NewRequest("GET", "/", nil)))
	// Output:
	// 200 text/plain; charset=utf-8
	// good morning
}

// A router that answers what is quick, and gives what blocks a goroutine.
func ExampleAsync() {
	slow := fastcgi.Async(fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
		time.Sleep(10 * time.Millisecond) // or a database
		_ = fastcgi.SendResponse(w, 200, "text/plain", "at last\n")
	}))
	router := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		switch ex.Params().Get("PATH_INFO") {
		case "/ping":
			_ = fastcgi.SendResponse(ex, 200, "text/plain", "pong\n")
			_ = ex.Finish(0)
		default:
			slow.ServeAsync(ex)
		}
	})
	for _, path := range []string{"/ping", "/report"} {
		printAnswer(fastcgitest.ServeAsync(context.Background(), router, fastcgitest.NewRequest("GET", path, nil)))
	}
	// Output:
	// 200 text/plain; charset=utf-8
	// pong
	// 200 text/plain; charset=utf-8
	// at last
}

// The sum of an upload of any size, of which nothing is kept.
func ExampleExchange_OnBody() {
	sum := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		hash := sha256.New()
		ex.OnBody(func(chunk []byte, last bool) {
			hash.Write(chunk)
			if last {
				_ = fastcgi.SendResponse(ex, 200, "text/plain", fmt.Sprintf("%x\n", hash.Sum(nil)))
				_ = ex.Finish(0)
			}
		})
		ex.OnAbort(func(error) { _ = ex.Finish(1) }) // the rest does not come
	})
	upload := strings.NewReader(strings.Repeat("hello, world\n", 10000))
	printAnswer(fastcgitest.ServeAsync(context.Background(), sum, fastcgitest.NewRequest("POST", "/", upload)))
	// Output:
	// 200 text/plain; charset=utf-8
	// 8c3c81b6693b3c10279ffd86b526a10094a59cf5e235ad29e6a371102dced84a
}

// An answer as long as you like, written as fast as the web server takes it: no more than 64 KiB of it wait.
func ExampleExchange_OnDrain() {
	const lines = 20_000
	count := fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		_ = fastcgi.SendResponse(ex, 200, "text/plain", nil)
		n := 0
		write := func() {
			for n < lines {
				if _, err := fmt.Fprintf(ex, "line %d\n", n); err != nil {
					return // ErrFull, until OnDrain; or the visitor has left
				}
				n++
			}
			_ = ex.Finish(0)
		}
		ex.OnDrain(write)
		ex.OnAbort(func(error) { _ = ex.Finish(0) })
		write()
	})
	resp, err := fastcgitest.ServeAsync(context.Background(), count, fastcgitest.NewRequest("GET", "/", nil))
	fmt.Println(strings.Count(string(resp.Body), "\n"), "lines,", err)
	// Output: 20000 lines, <nil>
}
