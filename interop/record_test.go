package interop_test

import (
	"encoding/json"
	"os"
	"testing"
)

// The variables that name the files for results.
const (
	matrixFile   = "FASTCGI_MATRIX"
	restartsFile = "FASTCGI_RESTARTS"
)

// record adds a result to the file that a variable names, if it does: a line of JSON for each.
func record(t *testing.T, variable string, result any) {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		return
	}
	line, err := json.Marshal(result)
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
