package drivertest

import (
	"io"
	"os"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
)

var writeTimeoutRules = []rule{
	{"a peer that takes nothing for WriteTimeout ends the sending, once, and not the connection", anywhere, func(t *testing.T, p place) {
		s := Serve(t, p.newDriver(20*time.Millisecond), Listen(t, p.network), nil)
		c, peer := s.Open()
		body := Noise(backlog)
		c.Leave(body)
		c.ExpectSent(os.ErrDeadlineExceeded)
		background(t, peer)([]byte("still here"))
		c.ExpectData("still here")
		c.SetDeadline(driver.Now().After(60 * time.Millisecond))
		c.Expect("Expire")
		c.ExpectQuiet()
		c.Close()
		got, err := io.ReadAll(peer)
		if err != nil || string(got) != string(body[:len(got)]) {
			t.Errorf("the peer has read %s, %v", clip(got), err)
		}
	}},

	{"WriteTimeout is over when all is sent", anywhere, func(t *testing.T, p place) {
		patiently(t, func(timeout time.Duration) bool {
			s := Serve(t, p.newDriver(timeout), Listen(t, p.network), nil)
			c, peer := s.Open()
			go io.Copy(io.Discard, peer)
			for range 2 {
				if c.Write(Noise(backlog)) != nil {
					return false
				}
				c.SetDeadline(driver.Now().After(2 * timeout))
				c.Expect("Expire")
			}
			c.ExpectQuiet()
			return true
		})
	}},
}

// patiently tries with longer and longer times what a slow machine may fail in a short one, until try returns true.
func patiently(t *testing.T, try func(timeout time.Duration) bool) {
	t.Helper()
	for timeout := 100 * time.Millisecond; timeout < giveUp; timeout *= 2 {
		if try(timeout) {
			return
		}
	}
	t.Error("it has failed, whatever the timeout")
}
