package client_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

// X15, with PHP-FPM: the script goes on until a file is there, and the next request comes before that.
func TestX15FPM(t *testing.T) { eachMode(t, testX15FPM) }

func testX15FPM(t *testing.T, m mode) {
	c := &client.Client{Multiplex: m.asking(), Addr: fpm.Start(t), KeepConn: true, MaxConns: 2}
	defer c.Close()
	file := filepath.Join(t.TempDir(), "go-on")
	worksOn := script(t, `echo "early"; fastcgi_finish_request();
		while (!file_exists(`+strconv.Quote(file)+`)) { usleep(1000); clearstatcache(); }`, "GET", 0)
	next := script(t, `echo "next";`, "GET", 0)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	defer os.WriteFile(file, nil, 0o600)
	for _, params := range [][]client.Pair{worksOn, next} {
		if err := do(ctx, c, &client.Request{Params: params}, 0); err != nil {
			t.Errorf("%v", err)
		}
	}
}
