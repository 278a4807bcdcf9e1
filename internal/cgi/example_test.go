package cgi_test

import (
	"fmt"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
)

func ExampleHeaderParser() {
	var p cgi.HeaderParser
	for _, piece := range []string{"Status: 404\r\nContent-", "Type: text/plain\r\n\r", "\nno such page"} {
		rest, done, err := p.Feed([]byte(piece))
		if err != nil {
			fmt.Println(err)
		}
		if done {
			fmt.Println(p.Header().Status, p.Header().Fields.Get("Content-Type"))
			fmt.Printf("%s\n", rest)
		}
	}
	// Output:
	// 404 text/plain
	// no such page
}
