package interop_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// record adds a cell to the file that FASTCGI_MATRIX names, a line of JSON for each.
func record(t *testing.T, c interop.Cell) {
	t.Helper()
	path := os.Getenv("FASTCGI_MATRIX")
	if path == "" {
		return
	}
	line, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil {
		t.Fatal(err)
	}
}
