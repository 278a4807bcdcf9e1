package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/internal/fpm"
)

func TestAsk(t *testing.T) {
	addr, root := fpm.Start(t), t.TempDir()
	page := `<?php echo "hello, ", $_GET["name"], "\n";`
	if err := os.WriteFile(filepath.Join(root, "index.php"), []byte(page), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := ask(&out, addr, root, "http://localhost/index.php?name=you"); err != nil || out.String() != "200 OK\nhello, you\n" {
		t.Errorf("%q, %v", &out, err)
	}
	err := ask(&out, addr, root, "http://localhost/none.php")
	if err == nil || !strings.Contains(err.Error(), `path "/none.php" names no script`) {
		t.Errorf("no such page: %v", err)
	}
}
