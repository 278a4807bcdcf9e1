package nethttp

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/internal/pool"
)

// A header is the header block of a response in the making: what the handler
// said by the time of WriteHeader, and what it left to be found out.
type header struct {
	block       []byte // from the pool; without the empty line
	hasType     bool   // or must have no Content-Type
	hasLength   bool   // or must have no Content-Length
	hasDate     bool
	hasEncoding bool // a Content-Encoding, so that the body says nothing of its type
}

// snapshotHeader writes down the fields as they are. What the handler changes
// afterwards comes too late, as in net/http.
func (h *response) snapshotHeader() {
	h.head.block = pool.Get(headerSize)
	_, h.head.hasType = h.fields["Content-Type"]
	_, h.head.hasDate = h.fields["Date"]
	h.head.hasEncoding = h.fields.Get("Content-Encoding") != ""
	_, h.head.hasLength = h.fields["Content-Length"]
	h.setLength(h.fields.Get("Content-Length"))
	// In order, so that the same response is the same bytes each time.
	var room [16]string
	names := room[:0]
	for name := range h.fields {
		names = append(names, name)
	}
	slices.Sort(names)
	// Location comes before Status: see appendHead in package fastcgi.
	for _, name := range names {
		if isLocation(name) && len(h.fields[name]) > 0 {
			h.addField("Location", h.fields[name])
			break // a CGI response has one (RFC 3875 §6.3)
		}
	}
	h.head.block = cgi.AppendStatus(h.head.block, h.status)
	for _, name := range names {
		if !isLocation(name) && h.passes(name) {
			h.addField(name, h.fields[name])
		}
	}
}

// isLocation reports whether a field is Location, also where the handler has not
// written it in the canonical way.
func isLocation(name string) bool { return strings.EqualFold(name, "Location") }

// headerSize is the room for a header block to start with.
const headerSize = 512

// setLength takes the handler's Content-Length.
func (h *response) setLength(value string) {
	if value == "" {
		return
	}
	n, err := strconv.ParseUint(value, 10, 63)
	if err != nil {
		h.warn("invalid Content-Length left out", "value", value)
		h.head.hasLength = false
		return
	}
	h.length = int64(n)
}

// passes reports whether a field of this name may be sent.
func (h *response) passes(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Status":
		// It would be the response's second (RFC 3875 §6.3.3).
		return false
	case "Transfer-Encoding", "Keep-Alive", "Trailer":
		// They are about the connection to the client, which is the web
		// server's (RFC 3875 §6.3.4).
		return false
	case "Connection":
		return h.status == http.StatusSwitchingProtocols
	case "Content-Length":
		return h.head.hasLength && cgi.BodyAllowed(h.status)
	case "Content-Type":
		return h.status != http.StatusNotModified
	}
	return cgi.ValidName(name)
}

// addField adds the lines of a field.
func (h *response) addField(name string, values []string) {
	switch name {
	case "Content-Type", "Content-Length", "Location":
		// A CGI response has them once (RFC 3875 §6.3).
		values = values[:min(1, len(values))]
	}
	if name == "Location" && len(values) > 0 {
		values = []string{cgi.Below(h.basePath, values[0])}
	}
	for _, value := range values {
		value = cgi.OneLine(value)
		if !cgi.ValidValue(value) {
			h.warn("header field with a control character left out", "name", name, "value", value)
			continue
		}
		h.addLine(name, value)
	}
}

func (h *response) addLine(name, value string) {
	b := pool.Grow(h.head.block, len(name)+len(value)+len(": \r\n"))
	h.head.block = append(append(append(append(b, name...), ": "...), value...), "\r\n"...)
}

// complete adds the fields that depend on the start of the body, and the empty
// line.
func (h *response) complete(start []byte) []byte {
	withBody := cgi.BodyAllowed(h.status)
	if withBody && !h.head.hasType && !h.head.hasEncoding && len(start) > 0 {
		h.addLine("Content-Type", http.DetectContentType(start))
	}
	// Of a HEAD request, no byte may as well mean that the handler looked at
	// the method.
	if h.done && withBody && !h.head.hasLength && (!h.isHead || len(h.held) > 0) {
		h.addLine("Content-Length", strconv.Itoa(len(h.held)))
	}
	date := ""
	if !h.head.hasDate {
		date = h.dates.get(time.Now())
	}
	b := pool.Grow(h.head.block, len(date)+len("\r\n"))
	return append(append(b, date...), "\r\n"...)
}
