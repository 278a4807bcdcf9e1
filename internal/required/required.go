// Package required ends tests that lack something: a program, a user, the rights
// of root. Only tests import it.
package required

import (
	"os"
	"testing"
)

// Missing skips the test, for the reason given, which names what to install or
// to be. With FASTCGI_REQUIRE_SERVERS=1 in the environment, as in CI, nothing may be
// missing, and the test fails.
func Missing(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("FASTCGI_REQUIRE_SERVERS") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}
