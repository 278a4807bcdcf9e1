package main

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/fastcgitest"
)

func TestMain(m *testing.M) { front.Main(m, main) }

func TestEcho(t *testing.T) {
	req := &fastcgitest.Request{Params: []fastcgi.Pair{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "QUERY_STRING", Value: ""},
		{Name: "HTTP_X", Value: "first"},
		{Name: "HTTP_X", Value: `"last"`},
	}}
	resp, err := fastcgitest.Do(t.Context(), newServer(), req)
	if err != nil {
		t.Fatal(err)
	}
	const want = "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n" +
		`{"REQUEST_METHOD":"GET","QUERY_STRING":"","HTTP_X":"\"last\""}`
	if string(resp.Stdout) != want {
		t.Errorf("the answer is %q, want %q", resp.Stdout, want)
	}
}

func TestProgram(t *testing.T) {
	p := front.Start(t)
	if got := p.Do(t, &client.Request{}).Body(); got != "{}" {
		t.Errorf("the body is %q", got)
	}
	p.Stop(t)
}
