package fastcgitest

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/simple-fastcgi/fastcgi/internal/cgi"
	"github.com/simple-fastcgi/fastcgi/protocol"
)

// role returns what the application is asked to be.
func (r *Request) role() protocol.Role { return cmp.Or(r.Role, protocol.RoleResponder) }

// check returns why the request cannot be sent.
func (r *Request) check() error {
	switch {
	case r.err != nil:
		return r.err
	case r.Data != nil && r.role() != protocol.RoleFilter:
		return fmt.Errorf("fastcgitest: the request has Data, which only a filter is sent; its role is %v", r.role())
	}
	return nil
}

// block returns all parameters, encoded.
func (r *Request) block() ([]byte, error) {
	v := variables{names: map[string]bool{}}
	for _, p := range r.Params {
		v.add(p.Name, p.Value)
	}
	if err := v.addHeader(r.Header); err != nil {
		return nil, err
	}
	v.addLength("CONTENT_LENGTH", r.Body)
	v.addLength("FCGI_DATA_LENGTH", r.Data)
	return v.encoded, nil
}

// variables collects parameters.
type variables struct {
	encoded []byte
	names   map[string]bool
}

func (v *variables) add(name, value string) {
	v.names[name] = true
	v.encoded = protocol.AppendPair(v.encoded, name, value)
}

// addHeader adds the header's fields, in the order of their names.
func (v *variables) addHeader(header map[string][]string) error {
	for _, field := range slices.Sorted(maps.Keys(header)) {
		name, ok := cgi.Variable(field)
		switch {
		case !ok:
			return fmt.Errorf("fastcgitest: no web server should pass the header field %q on; "+
				"to have it all the same, put its variable into Params", field)
		case v.names[name] || len(header[field]) == 0:
		case name == "HTTP_COOKIE":
			v.add(name, strings.Join(header[field], "; "))
		default:
			v.add(name, strings.Join(header[field], ", "))
		}
	}
	return nil
}

// addLength adds how long a stream is, if that is known and not said already.
func (v *variables) addLength(name string, stream io.Reader) {
	if v.names[name] {
		return
	}
	switch s := stream.(type) {
	case *bytes.Buffer:
		v.add(name, strconv.Itoa(s.Len()))
	case *bytes.Reader:
		v.add(name, strconv.Itoa(s.Len()))
	case *strings.Reader:
		v.add(name, strconv.Itoa(s.Len()))
	}
}

// inRole returns the request in another role.
func (r *Request) inRole(role protocol.Role) *Request {
	changed := *r
	changed.Role = role
	return &changed
}

// closeStreams ends the Reads of the body and the data that can be ended.
func (r *Request) closeStreams() {
	if r.role() == protocol.RoleAuthorizer {
		return // whoever answers the request later wants its body
	}
	for _, stream := range []io.Reader{r.Body, r.Data} {
		if c, ok := stream.(io.Closer); ok {
			_ = c.Close() // it was read; what closing says changes nothing
		}
	}
}
