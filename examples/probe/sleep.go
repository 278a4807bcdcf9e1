package main

import (
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

// sleepSync answers after a while, unless the request is aborted before.
func sleepSync(w fastcgi.ResponseWriter, r *fastcgi.Request, o order) error {
	if err := pause(r.Context(), o.wait); err != nil {
		return err
	}
	return sendText(w, "slept\n")
}

// sleepHTTP is sleepSync for net/http.
func sleepHTTP(w http.ResponseWriter, r *http.Request, o order) error {
	if err := pause(r.Context(), o.wait); err != nil {
		return err
	}
	return writeText(w, "slept\n")
}

// sleepAsync holds nothing but a timer meanwhile.
func sleepAsync(c *call) {
	stop := c.ex.Loop().AfterFunc(c.order.wait, func() {
		_ = sendText(c.ex, "slept\n")
		c.finish()
	})
	c.onAbort = func() {
		stop()
		c.cut()
	}
}
