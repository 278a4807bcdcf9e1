package gateway_test

import (
	"io"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/gateway"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// Several applications behind one handler: one that is not there is not noticed, and when none is, that is 503.
func TestBalancer(t *testing.T) {
	b := &client.Balancer{QueueTimeout: time.Millisecond, Applications: []client.Application{
		{Name: "gone", Addr: "unix:/nowhere"},
		{Name: "there", Addr: fakeapp.Start(t, func(a *fakeapp.Conn) {
			if r := a.Request(); r != nil {
				a.Say(r.Answer("Content-Type: text/plain\r\n\r\nit is " + r.Params["REQUEST_METHOD"]))
			}
		})},
	}}
	defer b.Close()
	h := &gateway.Handler{Client: b, ErrorLog: slog.New(slog.DiscardHandler)}
	get := func() (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		body, err := io.ReadAll(w.Result().Body)
		if err != nil {
			t.Error(err)
		}
		return w.Code, string(body)
	}
	for range 3 {
		if code, body := get(); code != 200 || body != "it is GET" {
			t.Errorf("status %d, %q", code, body)
		}
	}
	if err := b.Drain(t.Context(), "there"); err != nil {
		t.Fatal(err)
	}
	if code, _ := get(); code != 503 {
		t.Errorf("with nobody there, status %d", code)
	}
	if err := b.Drain(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if code, _ := get(); code != 503 {
		t.Errorf("with all drained, status %d", code)
	}
}
