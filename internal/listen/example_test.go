package listen_test

import (
	"fmt"
	"net"

	"github.com/simple-fastcgi/fastcgi/internal/listen"
)

func ExampleListen() {
	l, err := listen.Listen("127.0.0.1:0", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer l.Close()
	fmt.Println(l.Addr().Network())

	_, err = listen.Listen("192.0.2.1:9000", nil)
	fmt.Println(err)
	// Output:
	// tcp
	// fastcgi: refusing to listen on 192.0.2.1:9000: FastCGI has no authentication and other machines can connect: list the web servers' addresses in FCGI_WEB_SERVER_ADDRS or ListenOptions.Allow, use a Unix socket or 127.0.0.1, or set ListenOptions.AllowAnyAddress
}

func ExampleParseAllow() {
	allow, err := listen.ParseAllow("127.0.0.1, 2001:db8::/32")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(allow.Permits(&net.TCPAddr{IP: net.ParseIP("2001:db8::1")}))
	fmt.Println(allow.Permits(&net.TCPAddr{IP: net.ParseIP("192.0.2.1")}))
	// Output:
	// true
	// false
}
