// Command build builds every program that tests start, so that no test has to: `make programs`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/simple-fastcgi/fastcgi/internal/programs"
)

func main() {
	race := flag.Bool("race", false, "for tests with the race detector")
	flag.Parse()
	if err := programs.BuildAll(context.Background(), *race); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
