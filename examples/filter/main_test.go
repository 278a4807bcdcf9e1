package main

import (
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

func TestMain(m *testing.M) { front.Main(m, main) }

// A42.
func TestFilter(t *testing.T) {
	f := front.Serve(t, newServer())
	for _, tt := range []struct{ name, stdin, data, want string }{
		{"letters", "", "azAZ09, \u00e9\x00\xff\n", "AZAZ09, \u00e9\x00\xff\n"},
		{"a form is passed over", "name=value", "data", "DATA"},
		{"empty", "", "", ""},
		{"long", "", strings.Repeat("abcdefg", 100_000), strings.Repeat("ABCDEFG", 100_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := f.Do(t, &client.Request{
				Role:  protocol.RoleFilter,
				Stdin: strings.NewReader(tt.stdin),
				Data:  strings.NewReader(tt.data),
			})
			want := "Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" + tt.want
			if got.Stdout != want || got.AppStatus != 0 {
				t.Errorf("the answer is %.200q, appStatus %d", got.Stdout, got.AppStatus)
			}
		})
	}
}

func TestProgram(t *testing.T) {
	p := front.Start(t)
	got := p.Do(t, &client.Request{Role: protocol.RoleFilter, Data: strings.NewReader("louder")})
	if got.Body() != "LOUDER" {
		t.Errorf("the answer is %+v", got)
	}
	p.Stop(t)
}
