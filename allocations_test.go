//go:build unix

package fastcgi_test

import (
	"bytes"
	"net/http"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
)

// raceAllocations is what the race detector adds: under it, sync.Pool forgets on purpose. `make allocations` runs without.
const raceAllocations = 30

// What a request costs in allocations, on a connection that is kept.
func TestHelloAllocations(t *testing.T) {
	answer := []byte("Content-Type: text/plain\r\n\r\nhello, world\n")
	for _, test := range []struct {
		name string
		srv  *fastcgi.Server
		most float64
	}{
		{"async", &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			ex.Write(answer)
			ex.Finish(0)
		})}, 0},
		// The parameters, once somebody asks for them.
		{"async with parameters", &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if ex.Params().Get("SERVER_NAME") != "example.com" {
				t.Error("the parameters are not those that were sent")
			}
			ex.Write(answer)
			ex.Finish(0)
		})}, 1},
		// The request and its parameters.
		{"sync", &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			w.Write(answer)
		})}, 2},
		// The Exchange as a ResponseWriter.
		{"string", respondWith("hello, world\n"), 1},
		{"bytes", respondWith(answer[len(answer)-len("hello, world\n"):]), 1},
		{"sync string", &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, _ *fastcgi.Request) {
			fastcgi.SendResponse(w, 200, "text/plain", "hello, world\n")
		})}, 2},
		{"http", &fastcgi.Server{Handler: fastcgi.HTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = plain
			w.Write(answer[len(answer)-len("hello, world\n"):])
		}))}, 8},
	} {
		t.Run(test.name, func(t *testing.T) {
			onUnix(t, func(t *testing.T, p place) {
				w := p.serve(t, reused(test.srv)).dial(t)
				request := get(1, true, twenty...)
				got := make([]byte, 4096)
				exchange := func() {
					if _, err := w.Write(request); err != nil {
						t.Fatal(err)
					}
					n := 0
					// END_REQUEST is the last of an answer, and comes with it.
					for !bytes.HasSuffix(got[:n], endOfAnswer) {
						k, err := w.Conn.Read(got[n:])
						if err != nil {
							t.Fatal(err)
						}
						n += k
					}
				}
				most := test.most
				if raceEnabled {
					most += raceAllocations
				}
				if n := testing.AllocsPerRun(2000, exchange); n > most {
					t.Errorf("%v allocations for a request, at most %v are allowed", n, most)
				}
			})
		})
	}
}

// respondWith returns a server that answers with data.
func respondWith(data any) *fastcgi.Server {
	return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
		fastcgi.SendResponse(ex, 200, "text/plain", data)
		ex.Finish(0)
	})}
}

var plain = []string{"text/plain"}

// endOfAnswer is END_REQUEST for request 1, complete and with appStatus 0.
var endOfAnswer = []byte{1, 3, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
