// Command draw makes docs/architecture.svg: the rooms of the house, which are packages, and its arrows, which are their
// imports. The imports are the code's own, as the go command tells them; only where a room stands is written down here,
// in plan.go.
//
//	go run ./internal/house/draw       writes docs/architecture.svg
//	go run ./internal/house/draw -     prints it
//
// It runs at the top of the checkout. It sits on nothing; the tests of package house run it, and nobody imports it.
package main

import (
	"fmt"
	"io"
	"os"
)

const picture = "docs/architecture.svg"

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "draw:", err)
		os.Exit(1)
	}
}

func run(args []string, stdout io.Writer) error {
	imports, err := readImports()
	if err != nil {
		return err
	}
	house, err := build(imports)
	if err != nil {
		return err
	}
	svg := house.svg()
	if len(args) > 0 && args[0] == "-" {
		_, err = stdout.Write(svg)
		return err
	}
	return os.WriteFile(picture, svg, 0o644)
}
