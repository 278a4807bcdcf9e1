// Ask asks PHP-FPM for a page, as a web server does.
//
//	ask unix:/run/php/php-fpm.sock /var/www 'http://localhost/index.php?name=you'
package main

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/simple-fastcgi/fastcgi/client"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: ask ADDRESS ROOT URL")
	}
	if err := ask(os.Stdout, os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func ask(w io.Writer, addr, root, url string) error {
	php := &client.Client{Addr: addr}
	defer php.Close()
	web := &http.Client{Transport: &client.Transport{Client: php, Root: root, Extension: ".php"}}
	resp, err := web.Get(url)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	fmt.Fprintln(w, resp.Status)
	_, err = io.Copy(w, resp.Body)
	return err
}
