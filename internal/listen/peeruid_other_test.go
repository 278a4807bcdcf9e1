//go:build !linux

package listen_test

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

func TestAllowUIDsUnsupported(t *testing.T) {
	wantListenError(t, "unix:"+t.TempDir()+"/s", &listen.Options{AllowUIDs: []int{0}}, "does not tell the uid")
}
