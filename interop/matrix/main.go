// Matrix shows how interop's tests went: web servers by scenarios.
//
//	go run ./interop/matrix bin/interop.jsonl           print the table
//	go run ./interop/matrix -json bin/interop.jsonl     print the results, for machines
//	go run ./interop/matrix -write bin/interop.jsonl    put both where they are kept: docs/servers.md, interop/matrix.json
//
// The file is what the tests write where FASTCGI_MATRIX says: `make interop` does all of it.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// Where the results are kept, from the root of the repository, and what has them put there.
const (
	page    = "docs/servers.md"
	record  = "interop/matrix.json"
	command = "make matrix"
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
	cells, err := interop.ReadLines[interop.Cell](path)
	if err != nil {
		return err
	}
	results := summarize(cells)
	if write {
		if err := interop.Keep(results, record, page, command, newTable(results).markdown()); err != nil {
			return err
		}
	}
	if asJSON {
		text, err := interop.Encode(results)
		if err == nil {
			_, err = out.Write(text)
		}
		return err
	}
	return newTable(results).text(out)
}
