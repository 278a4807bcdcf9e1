package gateway

import (
	"net/http"

	"github.com/simple-fastcgi/fastcgi/client"
)

// An answer is the application's response with its head read.
type answer struct {
	*client.Head
	body *client.Body
}

// copyHeader gives the fields to dst, without those that stay here.
func (a answer) copyHeader(dst http.Header) {
	a.RemoveHopByHop()
	// No type is no invitation to guess one (RFC 3875 §6.3.1).
	dst["Content-Type"] = nil
	for name, values := range a.Header {
		dst[name] = values
	}
}
