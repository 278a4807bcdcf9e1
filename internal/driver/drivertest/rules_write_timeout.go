package drivertest

import (
	"errors"
	"io"
	"net"
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
		if p.network == "tls" && errors.Is(err, io.ErrUnexpectedEOF) {
			err = nil // in the middle of a record
		}
		if err != nil || string(got) != string(body[:len(got)]) {
			t.Errorf("the peer has read %s, %v", clip(got), err)
		}
	}},

	// W7: a peer that reads slowly makes progress, wherever the system shows it.
	{"a peer that reads slowly is not cut, and one that stops is", anywhere, func(t *testing.T, p place) {
		withLongerTimeouts(t, func(timeout time.Duration) bool {
			c, peer := Serve(t, p.newDriver(timeout), Listen(t, p.network), nil).Open()
			c.Leave(Noise(backlog))
			if !readSlowly(peer, p.network, timeout) || len(c.Calls()) > 0 {
				return false
			}
			c.ExpectSent(os.ErrDeadlineExceeded)
			return true
		})
	}},

	{"WriteTimeout is over when all is sent", anywhere, func(t *testing.T, p place) {
		withLongerTimeouts(t, func(timeout time.Duration) bool {
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

// readSlowly reads while WriteTimeout passes four times, and in each of them twice what the system tells of at once, which is
// far less than makes a socket writable. It returns false if there is nothing to read: the driver has given up.
func readSlowly(peer net.Conn, network string, timeout time.Duration) bool {
	const parts = 8
	each := int64(80 << 10)
	if network == "tcp" || network == "tls" {
		each = 256 << 10 // the window opens by 95 KiB
	}
	for range 4 * parts {
		peer.SetReadDeadline(time.Now().Add(4 * timeout))
		if _, err := io.CopyN(io.Discard, peer, each/parts); err != nil {
			return false
		}
		time.Sleep(timeout / parts)
	}
	return true
}

// withLongerTimeouts tries with longer and longer times what a slow machine may fail in a short one, until try returns true.
func withLongerTimeouts(t *testing.T, try func(timeout time.Duration) bool) {
	t.Helper()
	for timeout := 100 * time.Millisecond; timeout < 10*time.Second; timeout *= 2 {
		if try(timeout) {
			return
		}
	}
	t.Error("it has failed, whatever the timeout")
}
