package main

import (
	"testing"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
)

func TestMain(m *testing.M) { front.Main(m, main) }

func TestEcho(t *testing.T) {
	got := front.Serve(t, newServer()).Do(t, &client.Request{Params: []client.Param{
		{Name: "REQUEST_METHOD", Value: "GET"},
		{Name: "QUERY_STRING", Value: ""},
		{Name: "HTTP_X", Value: "first"},
		{Name: "HTTP_X", Value: `"last"`},
	}})
	want := front.Answer{Stdout: "Status: 200 OK\r\nContent-Type: application/json\r\n\r\n" +
		`{"REQUEST_METHOD":"GET","QUERY_STRING":"","HTTP_X":"\"last\""}`}
	if got != want {
		t.Errorf("the answer is %+v, want %+v", got, want)
	}
}

func TestProgram(t *testing.T) {
	p := front.Start(t)
	if got := p.Do(t, &client.Request{}).Body(); got != "{}" {
		t.Errorf("the body is %q", got)
	}
	p.Stop(t)
}
