package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
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
	f := front.Serve(t, newServer(tokens))
	const deny403 = "Status: 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThis token is not valid.\n"
	const deny401 = "Status: 401 Unauthorized\r\nContent-Type: text/plain; charset=utf-8\r\n" +
		"WWW-Authenticate: Bearer\r\n\r\nThis needs a token.\n"
	for _, tt := range []struct{ name, authorization, want string }{
		{"known", "Bearer sesame", "Status: 200 OK\r\nVariable-AUTH_USER: ali-baba\r\n\r\n"},
		{"the other", "bearer abracadabra", "Status: 200 OK\r\nVariable-AUTH_USER: merlin\r\n\r\n"},
		{"unknown", "Bearer barley", deny403},
		{"empty", "Bearer ", deny403},
		{"comment", "Bearer #", deny403},
		{"another scheme", "Basic sesame", deny401},
		{"none", "", deny401},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := f.Ask(t, protocol.RoleAuthorizer, client.Param{Name: "HTTP_AUTHORIZATION", Value: tt.authorization})
			if got != (front.Answer{Stdout: tt.want}) {
				t.Errorf("the answer is %+v, want %q", got, tt.want)
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
	got := p.Ask(t, protocol.RoleAuthorizer, client.Param{Name: "HTTP_AUTHORIZATION", Value: "Bearer sesame"})
	if !strings.HasPrefix(got.Stdout, "Status: 200 OK\r\n") {
		t.Errorf("the answer is %+v", got)
	}
	p.Stop(t)
	if said, ok := front.Run(t, "-tokens", "no-such-file"); ok || !strings.HasPrefix(said, "authorizer: open no-such-file") {
		t.Errorf("without tokens: exit 0 is %v, says %q", ok, said)
	}
}
