package interop_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// likeNetHTTP asks the handler look, behind a web server, what is for every one of the cases. It sees the same as in a
// server of net/http.
func likeNetHTTP(t *testing.T, s *site) {
	direct := httptest.NewServer(http.HandlerFunc(look))
	defer direct.Close()
	defer s.client.CloseIdleConnections()
	for _, c := range httpCases() {
		if !c.everywhere {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			got, want := c.look(t, s, s.addr), c.look(t, s, direct.Listener.Addr().String())
			if got.StatusCode != want.StatusCode || got.body != want.body {
				t.Errorf("behind %s the handler sees, with status %d,\n%s\nand alone\n%s", s.server.name, got.StatusCode, got.body, want.body)
			}
		})
	}
}

// look sends the request of a case to an address and returns what the handler sees.
func (c httpCase) look(t *testing.T, s *site, addr string) answer {
	t.Helper()
	req, err := c.request(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	return s.do(t, req)
}
