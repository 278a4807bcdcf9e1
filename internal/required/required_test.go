package required_test

import (
	"runtime"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// A told is a test that notes how it was ended.
type told struct {
	testing.TB
	how string
}

func (*told) Helper() {}

func (t *told) Fatalf(format string, _ ...any) { t.end("failed: " + format) }

func (t *told) Skipf(format string, _ ...any) { t.end("skipped: " + format) }

func (t *told) end(how string) {
	t.how = how
	runtime.Goexit()
}

func TestMissing(t *testing.T) {
	for _, tt := range []struct{ env, want string }{
		{"", "skipped: no nginx"},
		{"0", "skipped: no nginx"},
		{"1", "failed: no nginx"},
	} {
		t.Setenv("FASTCGI_REQUIRE_SERVERS", tt.env)
		got, ended := &told{TB: t}, make(chan struct{})
		go func() {
			defer close(ended)
			required.Missing(got, "no nginx")
		}()
		<-ended
		if got.how != tt.want {
			t.Errorf("with %q it is %s, want %s", tt.env, got.how, tt.want)
		}
	}
}
