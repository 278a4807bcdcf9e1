package client_test

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/fakeapp"
)

// BenchmarkDo measures a request and its whole response, the application
// included.
func BenchmarkDo(b *testing.B) {
	const greeting = "Content-Type: text/plain\n\nhello"
	for _, bb := range []struct {
		name string
		keep bool
		size int // of both bodies
	}{
		{"conn=new/size=0", false, 0},
		{"conn=kept/size=0", true, 0},
		{"conn=kept/size=1MB", true, 1 << 20},
	} {
		b.Run(bb.name, func(b *testing.B) {
			body := strings.Repeat("x", bb.size)
			c := &client.Client{KeepConn: bb.keep, Addr: fakeapp.Start(b, func(a *fakeapp.Conn) {
				for r := a.Request(); r != nil; r = a.Request() {
					a.Say(r.Answer(greeting + r.Stdin))
				}
			})}
			defer c.Close()
			want := len(greeting) + bb.size
			b.SetBytes(int64(bb.size))
			b.ReportAllocs()
			for b.Loop() {
				if n := length(b, c, post(strings.NewReader(body))); n != want {
					b.Fatalf("%d bytes, want %d", n, want)
				}
			}
		})
	}
}

// length does a request and returns how long the response is.
func length(b *testing.B, c *client.Client, req *client.Request) (n int) {
	resp, err := c.Do(b.Context(), req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Close()
	buf := make([]byte, 32<<10)
	for err == nil {
		var k int
		k, err = resp.Read(buf)
		n += k
	}
	if _, err := resp.Wait(); err != nil {
		b.Fatal(err)
	}
	return n
}
