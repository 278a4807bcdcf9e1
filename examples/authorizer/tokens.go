package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"

	"github.com/simple-fastcgi/fastcgi"
)

// tokens say whose each token is. They are kept by their hash, so that the time
// which a look-up takes tells nothing about them.
type tokens struct {
	users map[[sha256.Size]byte]string
}

// readTokens reads a file of tokens. Empty lines and those that start with #
// are left out.
func readTokens(file string) (*tokens, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t := &tokens{users: make(map[[sha256.Size]byte]string)}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case len(fields) != 2:
			return nil, fmt.Errorf("%s:%d: a line is a token and its user", file, number)
		default:
			t.users[sha256.Sum256([]byte(fields[0]))] = fields[1]
		}
	}
	return t, nil
}

// Authorize implements fastcgi.Authorizer.
func (t *tokens) Authorize(r *fastcgi.Request) fastcgi.Decision {
	scheme, token, _ := strings.Cut(r.Params.Get("HTTP_AUTHORIZATION"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return fastcgi.Deny(401, "text/plain", "This needs a token.\n",
			fastcgi.Pair{Name: "WWW-Authenticate", Value: "Bearer"})
	}
	user, ok := t.users[sha256.Sum256([]byte(token))]
	if !ok {
		return fastcgi.Deny(403, "text/plain", "This token is not valid.\n")
	}
	return fastcgi.Allow(fastcgi.Pair{Name: "AUTH_USER", Value: user})
}
