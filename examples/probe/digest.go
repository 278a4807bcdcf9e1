package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"

	"github.com/simple-fastcgi/fastcgi"
)

// digestSync answers with the SHA-256 and the length of the body.
func digestSync(w fastcgi.ResponseWriter, r *fastcgi.Request, _ order) error {
	d := digest{Hash: sha256.New()}
	_, err := io.Copy(&d, r)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fastcgi.SendResponse(w, 400, "text/plain", nil)
	case err != nil:
		return err
	}
	return sendText(w, d.String())
}

// A digest counts what it hashes.
type digest struct {
	hash.Hash
	length int64
}

func (d *digest) Write(p []byte) (int, error) {
	d.length += int64(len(p))
	return d.Hash.Write(p)
}

func (d *digest) String() string { return fmt.Sprintf("%x %d\n", d.Sum(nil), d.length) }

// digestHTTP is digestSync for net/http.
func digestHTTP(w http.ResponseWriter, r *http.Request, _ order) error {
	d := digest{Hash: sha256.New()}
	_, err := io.Copy(&d, r.Body)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		http.Error(w, http.StatusText(400), 400)
		return nil
	case err != nil:
		return err
	}
	return writeText(w, d.String())
}

// digestAsync hashes each chunk as it comes.
func digestAsync(c *call) {
	d := digest{Hash: sha256.New()}
	c.onAbort = c.cut
	c.onShort = func() {
		fastcgi.SendResponse(c.ex, 400, "text/plain", nil)
		c.finish()
	}
	c.ex.OnBody(func(chunk []byte, last bool) {
		d.Write(chunk)
		if last {
			sendText(c.ex, d.String())
			c.finish()
		}
	})
}
