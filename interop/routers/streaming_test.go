package routers_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/go-chi/chi/v5"
	chimiddleware "github.com/go-chi/chi/v5/middleware"
	"github.com/gorilla/mux"
	"github.com/labstack/echo/v4"
	echomiddleware "github.com/labstack/echo/v4/middleware"
)

// streams make a handler with each router, for /stream, that sends a line, waits until it may go on, and sends another,
// in the way that the router has for that: its own helper, or its wrapper of the ResponseWriter.
var streams = map[string]func(goOn <-chan struct{}) http.Handler{
	"ServeMux": func(goOn <-chan struct{}) http.Handler {
		m := http.NewServeMux()
		m.HandleFunc("/stream", streamWith(goOn))
		return m
	},
	"gorilla/mux": func(goOn <-chan struct{}) http.Handler {
		m := mux.NewRouter()
		m.HandleFunc("/stream", streamWith(goOn))
		return m
	},
	"chi": func(goOn <-chan struct{}) http.Handler {
		m := chi.NewRouter()
		// Both wrap the ResponseWriter, and their wrappers can only what that can.
		quiet := &chimiddleware.DefaultLogFormatter{Logger: log.New(io.Discard, "", 0)}
		m.Use(chimiddleware.RequestLogger(quiet), chimiddleware.Compress(5))
		m.Get("/stream", streamWith(goOn))
		return m
	},
	"gin, Stream": func(goOn <-chan struct{}) http.Handler {
		m := newQuietGin()
		m.GET("/stream", func(c *gin.Context) {
			n := 0
			gone := c.Stream(func(w io.Writer) bool {
				if n++; n == 2 {
					<-goOn
				}
				fmt.Fprintf(w, "line %d\n", n)
				return n < 2
			})
			if gone {
				c.Error(io.ErrUnexpectedEOF)
			}
		})
		return m
	},
	"gin, SSEvent": func(goOn <-chan struct{}) http.Handler {
		m := newQuietGin()
		m.GET("/stream", func(c *gin.Context) {
			n := 0
			c.Stream(func(io.Writer) bool {
				if n++; n == 2 {
					<-goOn
				}
				c.SSEvent("line", n)
				return n < 2
			})
		})
		return m
	},
	"echo": func(goOn <-chan struct{}) http.Handler {
		m := echo.New()
		m.Use(echomiddleware.Gzip())
		m.GET("/stream", func(c echo.Context) error {
			w := c.Response()
			fmt.Fprintln(w, "line 1")
			w.Flush()
			<-goOn
			_, err := fmt.Fprintln(w, "line 2")
			return err
		})
		return m
	},
}

func newQuietGin() *gin.Engine {
	gin.SetMode(gin.ReleaseMode)
	return gin.New()
}

// streamWith is net/http's own way.
func streamWith(goOn <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprintln(w, "line 1")
		http.NewResponseController(w).Flush()
		<-goOn
		fmt.Fprintln(w, "line 2")
	}
}

// What a router's way of streaming sends, the client gets at once and in whole, in net/http and here (W3).
func TestStreaming(t *testing.T) {
	for name, newStream := range streams {
		for server, serve := range servers {
			t.Run(name+", "+server, func(t *testing.T) {
				goOn := make(chan struct{})
				release := sync.OnceFunc(func() { close(goOn) })
				site := serve(t, newStream(goOn))
				t.Cleanup(release) // before the servers are closed
				resp := stream(t, t.Context(), site+"/stream")
				lines := bufio.NewReader(resp.Body)
				first, err := lines.ReadString('1')
				if err != nil || resp.StatusCode != http.StatusOK || !strings.HasSuffix(first, "1") {
					t.Fatalf("status %d: %q, %v", resp.StatusCode, first, err)
				}
				release()
				rest, err := io.ReadAll(lines)
				if err != nil || !strings.Contains(string(rest), "2\n") {
					t.Errorf("after the first line: %q, %v", rest, err)
				}
			})
		}
	}
}

// gin's Stream returns true when the client leaves.
func TestGinStreamClientLeaves(t *testing.T) {
	for server, serve := range servers {
		t.Run(server, func(t *testing.T) {
			gone := make(chan bool, 1)
			m := newQuietGin()
			m.GET("/stream", func(c *gin.Context) {
				n := 0
				gone <- c.Stream(func(w io.Writer) bool {
					if n++; n > 1 {
						<-c.Request.Context().Done()
					}
					fmt.Fprintf(w, "line %d\n", n)
					return true
				})
			})
			site := serve(t, m)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			resp := stream(t, ctx, site+"/stream")
			if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			leave()
			select {
			case g := <-gone:
				if !g {
					t.Error("Stream returned false")
				}
			case <-time.After(20 * time.Second):
				t.Fatal("Stream does not return")
			}
		})
	}
}

// servers are net/http itself, and this library behind the gateway. They serve a handler until the end of the test, and
// return the URL of the site.
var servers = map[string]func(*testing.T, http.Handler) string{
	"net/http": func(t *testing.T, h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	},
	"fastcgi": func(t *testing.T, h http.Handler) string { return mount{}.serve(t, h) },
}

// stream begins a request, and returns the response with the body to come.
func stream(t *testing.T, ctx context.Context, url string) *http.Response {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true // httptest.Server.Close would wait for the connection
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}
