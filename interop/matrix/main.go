// Matrix shows how interop's tests went: web servers by scenarios.
//
//	go run ./interop/matrix bin/interop.jsonl           print the table
//	go run ./interop/matrix -json bin/interop.jsonl     print the results, for machines
//	go run ./interop/matrix -write bin/interop.jsonl    put both where they are kept: docs/servers.md, interop/matrix.json
//
// The file is what the tests write where FASTCGI_MATRIX says: `make interop` does all of it.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// Where the results are kept, from the root of the repository.
const (
	page   = "docs/servers.md"
	record = "interop/matrix.json"
)

func main() {
	asJSON := flag.Bool("json", false, "print the results as JSON")
	write := flag.Bool("write", false, "write "+page+" and "+record)
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "matrix: name the file that FASTCGI_MATRIX named when the tests ran, or run `make interop`")
		os.Exit(2)
	}
	if err := run(os.Stdout, flag.Arg(0), *asJSON, *write); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, path string, asJSON, write bool) error {
	cells, err := read(path)
	if err != nil {
		return err
	}
	results := summarize(cells)
	if write {
		if err := keep(results); err != nil {
			return err
		}
	}
	if asJSON {
		text, err := encode(results)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	return newTable(results).text(out)
}

// read returns the cells in a file, none if no test wrote one.
func read(path string) ([]interop.Cell, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var cells []interop.Cell
	for d := json.NewDecoder(f); ; {
		var c interop.Cell
		if err := d.Decode(&c); err == io.EOF {
			return cells, nil
		} else if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		cells = append(cells, c)
	}
}

// keep puts the results into the repository.
func keep(results []result) error {
	text, err := encode(results)
	if err != nil {
		return err
	}
	if err := os.WriteFile(record, text, 0o644); err != nil {
		return err
	}
	old, err := os.ReadFile(page)
	if err != nil {
		return err
	}
	updated, err := replaceSection(string(old), newTable(results).markdown())
	if err != nil {
		return fmt.Errorf("%s: %w", page, err)
	}
	return os.WriteFile(page, []byte(updated), 0o644)
}

// encode returns the results as JSON, one a line, so that a change shows what changed.
func encode(results []result) ([]byte, error) {
	text := []byte("[\n")
	for i, r := range results {
		line, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		text = append(append(text, '\t'), line...)
		if i < len(results)-1 {
			text = append(text, ',')
		}
		text = append(text, '\n')
	}
	return append(text, ']', '\n'), nil
}
