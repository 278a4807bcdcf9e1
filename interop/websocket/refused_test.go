package websocket_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	gorilla "github.com/gorilla/websocket"
)

// Behind a web server that upgrades nothing for FastCGI, a library's upgrade fails, always, with an error that says why.
// The client gets the library's own answer to that, and no 101 that leads nowhere.
func TestRefused(t *testing.T) {
	for _, web := range others {
		t.Run(web.name, func(t *testing.T) {
			refused := make(chan error, 1)
			addr := web.serve(t, serveApplication(t, "", upgradeInVain(refused)))
			for range 50 { // the end of the input may be late
				askInVain(t, "ws://"+addr)
				if why := receive(t, refused); why == nil || !strings.Contains(why.Error(), "has ended the input") {
					t.Fatalf("the application got %v", why)
				}
			}
		})
	}
}

// So it is behind a lighttpd that is not told to upgrade: it hides the wish, but not from a client that knows of it.
func TestRefusedByLighttpd(t *testing.T) {
	refused := make(chan error, 1)
	addr := serveLighttpdWith(t, serveApplication(t, "", upgradeInVain(refused)), "lighttpd.conf", `"upgrade"             => "enable",`, "")
	_, _, err := gorilla.DefaultDialer.DialContext(t.Context(), "ws://"+addr, nil)
	if !errors.Is(err, gorilla.ErrBadHandshake) {
		t.Errorf("the client got %v", err)
	}
	if why := receive(t, refused); why == nil || !strings.Contains(why.Error(), "not found in 'Upgrade' header") {
		t.Errorf("the application got %v", why)
	}
}

// upgradeInVain tells why it could not upgrade.
func upgradeInVain(refused chan<- error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, err := new(gorilla.Upgrader).Upgrade(w, r, nil)
		refused <- err
	})
}

// askInVain wants to be refused, with a whole response.
func askInVain(t *testing.T, url string) {
	t.Helper()
	_, resp, err := gorilla.DefaultDialer.DialContext(t.Context(), url, nil)
	if !errors.Is(err, gorilla.ErrBadHandshake) || resp.StatusCode != http.StatusInternalServerError {
		t.Fatalf("the client got %v, %v", resp, err)
	}
	if body, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(body), "Internal Server Error") {
		t.Errorf("the client read %q, %v", body, err)
	}
}
