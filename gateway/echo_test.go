package gateway_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/gateway"
)

func TestEcho(t *testing.T) {
	f := scripted(t, &gateway.Handler{}, echo)
	for _, body := range []string{"", "x", strings.Repeat("0123456789", 100000)} {
		resp, got, err := f.do(t, f.request(t, "POST", "/", unsized(body)))
		if err != nil || got != body || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
		resp, got, err = f.do(t, f.request(t, "POST", "/", strings.NewReader(body)))
		if err != nil || got != body || resp.StatusCode != 200 {
			t.Errorf("%v, %v", resp, err)
		}
	}
}
