// Restarts shows how requests fared behind web servers while the application was restarted.
//
//	go run ./interop/restarts bin/restarts.jsonl           print it
//	go run ./interop/restarts -write bin/restarts.jsonl    put it where it is kept: docs/servers.md, interop/restarts.json
//
// The file is what interop's tests write where FASTCGI_RESTARTS says: `make restarts` does all of it.
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
	record  = "interop/restarts.json"
	command = "make restarts"
)

func main() {
	write := flag.Bool("write", false, "write "+page+" and "+record)
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "restarts: name the file that FASTCGI_RESTARTS named when the tests ran, or run `"+command+"`")
		os.Exit(2)
	}
	if err := run(os.Stdout, flag.Arg(0), *write); err != nil {
		fmt.Fprintln(os.Stderr, "restarts:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, path string, write bool) error {
	runs, err := interop.ReadLines[interop.RestartRun](path)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		return fmt.Errorf("%s has no results: see `make deps` for what is missing", path)
	}
	text := markdown(runs)
	if write {
		if err := interop.Keep(runs, record, page, command, text); err != nil {
			return err
		}
	}
	_, err = io.WriteString(out, text)
	return err
}
