package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestMain(m *testing.M) { front.Main(m, main) }

func writeTokens(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens.txt")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A41, C16.
func TestAuthorizer(t *testing.T) {
	tokens, err := readTokens(writeTokens(t, "# who may enter\n\nsesame ali-baba\nabracadabra merlin\n"))
	if err != nil {
		t.Fatal(err)
	}
	const invalid, missing = "This token is not valid.\n", "This needs a token.\n"
	for _, tt := range []struct {
		name, authorization string
		code                int
		user, body          string
	}{
		{"known", "Bearer sesame", 200, "ali-baba", ""},
		{"the other", "bearer abracadabra", 200, "merlin", ""},
		{"unknown", "Bearer barley", 403, "", invalid},
		{"empty", "Bearer ", 403, "", invalid},
		{"comment", "Bearer #", 403, "", invalid},
		{"another scheme", "Basic sesame", 401, "", missing},
		{"none", "", 401, "", missing},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := fastcgitest.NewRequest("GET", "/", nil)
			req.Header.Set("Authorization", tt.authorization)
			resp, err := fastcgitest.Authorize(t.Context(), tokens, req)
			if err != nil {
				t.Fatal(err)
			}
			var users []fastcgi.Pair
			if tt.user != "" {
				users = []fastcgi.Pair{{Name: "AUTH_USER", Value: tt.user}}
			}
			if resp.StatusCode != tt.code || string(resp.Body) != tt.body || !slices.Equal(resp.Variables, users) {
				t.Errorf("status %d, variables %v, body %q", resp.StatusCode, resp.Variables, resp.Body)
			}
			if scheme := resp.Header.Get("WWW-Authenticate"); (scheme == "Bearer") != (tt.code == 401) {
				t.Errorf("WWW-Authenticate is %q", scheme)
			}
		})
	}
}

func TestTokensThatAreNone(t *testing.T) {
	if _, err := readTokens(writeTokens(t, "sesame ali-baba\nsesame\n")); err == nil || !strings.Contains(err.Error(), "tokens.txt:2: ") {
		t.Errorf("the error is %v", err)
	}
}

func TestProgram(t *testing.T) {
	p := front.Start(t, "-tokens", writeTokens(t, "sesame ali-baba\n"))
	got := p.Ask(t, protocol.RoleAuthorizer, client.Pair{Name: "HTTP_AUTHORIZATION", Value: "Bearer sesame"})
	if !strings.HasPrefix(got.Stdout, "Status: 200 OK\r\n") {
		t.Errorf("the answer is %+v", got)
	}
	p.Stop(t)
	if said, ok := front.Run(t, "-tokens", "no-such-file"); ok || !strings.HasPrefix(said, "authorizer: open no-such-file") {
		t.Errorf("without tokens: exit 0 is %v, says %q", ok, said)
	}
}
