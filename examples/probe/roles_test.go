package main

import (
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/examples/internal/front"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A41, C16.
func TestAuthorizer(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		for token, want := range map[string]string{
			"let-me-in":  "Status: 200 OK\r\nVariable-AUTH_USER: probe\r\n\r\n",
			"let-me-in ": "Status: 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ndenied\n",
			"":           "Status: 403 Forbidden\r\nContent-Type: text/plain; charset=utf-8\r\n\r\ndenied\n",
		} {
			got := f.Ask(t, protocol.RoleAuthorizer, client.Pair{Name: "HTTP_X_TOKEN", Value: token})
			if got != (front.Answer{Stdout: want}) {
				t.Errorf("token %q: the answer is %+v", token, got)
			}
		}
	})
}

// A42.
func TestFilter(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		for _, tt := range []struct{ stdin, data, want string }{
			{"", "", ""},
			{"", "azAZ09, \u00e9\x00\xff\n", "AZAZ09, \u00e9\x00\xff\n"},
			{"name=value", "data", "DATA"},
			{long, long, strings.ToUpper(long)},
		} {
			got := f.Do(t, &client.Request{
				Role:  protocol.RoleFilter,
				Stdin: strings.NewReader(tt.stdin),
				Data:  strings.NewReader(tt.data),
			})
			if got.Body() != tt.want || got.Header() != "Status: 200 OK\r\n"+text || got.AppStatus != 0 {
				t.Errorf("%.20q: the answer is %.200q, appStatus %d", tt.data, got.Stdout, got.AppStatus)
			}
		}
	})
}

// W20: FCGI_DATA is held to FCGI_DATA_LENGTH, and where it is shorter, the appStatus tells.
func TestW20FilterData(t *testing.T) {
	everyWay(t, func(t *testing.T, _ string, _ *fastcgi.Server, f *front.Front) {
		for _, tt := range []struct {
			length, data, want string
			appStatus          uint32
		}{
			{"4", "", "", 1},
			{"4", "dat", "DAT", 1},
			{"4", "data", "DATA", 0},
			{"4", "data and more", "DATA", 0},
			{"0", "", "", 0},
			{"0", "data", "", 0},
			{"", "data", "DATA", 0},
			{"none", "data", "DATA", 0},
			{strconv.Itoa(len(long) + 1), long, strings.ToUpper(long), 1},
			{strconv.Itoa(len(long)), long, strings.ToUpper(long), 0},
		} {
			got := f.Do(t, &client.Request{
				Role:   protocol.RoleFilter,
				Params: []client.Pair{{Name: "FCGI_DATA_LENGTH", Value: tt.length}},
				Data:   strings.NewReader(tt.data),
			})
			if got.Body() != tt.want || got.Header() != "Status: 200 OK\r\n"+text || got.AppStatus != tt.appStatus {
				t.Errorf("%.20q of %s: the answer is %.200q, appStatus %d, want %d", tt.data, tt.length, got.Stdout, got.AppStatus, tt.appStatus)
			}
		}
	})
}
