// Command build builds the PocketBases that the tests start, which takes minutes the first time: `make programs`.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"github.com/simple-fastcgi/fastcgi/interop/pocketbase"
)

func main() {
	race := flag.Bool("race", false, "for tests with the race detector")
	flag.Parse()
	original, changed, err := pocketbase.Build(context.Background(), *race)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s\n%s\n", original, changed)
}
