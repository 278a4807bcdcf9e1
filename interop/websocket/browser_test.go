package websocket_test

import (
	"net/http"
	"testing"
	"time"

	gorilla "github.com/gorilla/websocket"
	"github.com/simple-fastcgi/fastcgi/internal/browser"
)

// browsed is a site with a page that speaks WebSocket.
func browsed(ended chan<- error) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, "page_test.html") })
	mux.Handle("/echo", gorillaEcho(ended))
	mux.HandleFunc("/bye", func(w http.ResponseWriter, r *http.Request) {
		if c, err := new(gorilla.Upgrader).Upgrade(w, r, nil); err == nil {
			c.WriteControl(gorilla.CloseMessage, gorilla.FormatCloseMessage(4000, "bye"), time.Now().Add(patience))
			c.ReadMessage() // the browser's answer
			c.Close()
		}
	})
	mux.HandleFunc("/gone", func(w http.ResponseWriter, r *http.Request) {
		if c, err := new(gorilla.Upgrader).Upgrade(w, r, nil); err == nil {
			c.Close()
		}
	})
	return mux
}

// A real browser's WebSocket works behind each web server, to a proper close by either side, or none.
func TestBrowser(t *testing.T) {
	for _, front := range fronts {
		t.Run(front.name, func(t *testing.T) {
			ended := make(chan error, 1)
			p := browser.Open(t, front.serve(t, serveApplication(t, "", browsed(ended)))+"/")
			for _, tt := range []struct{ expression, want string }{
				{`echo()`, "1000 1000  true"},
				{`visit("/bye")`, "4000 bye true"},
				{`visit("/gone")`, "1006  false"},
				{`visit("/nowhere")`, "1006  false"},
				{`hold()`, "open"},
			} {
				if got := p.Eval(tt.expression); got != tt.want {
					t.Errorf("%s gives %q, want %q", tt.expression, got, tt.want)
				}
			}
			if err := receive(t, ended); !closedNormally(err) {
				t.Errorf("after echo(), the application saw %v", err)
			}
			p.Call("Page.reload", nil, nil)
			if err := receive(t, ended); !gorilla.IsCloseError(err, gorilla.CloseGoingAway) {
				t.Errorf("after the visitor has left, the application saw %v", err)
			}
		})
	}
}
