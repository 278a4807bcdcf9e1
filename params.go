package fastcgi

import (
	"bytes"
	"encoding/json"
	"iter"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Pair is a name with its value: a parameter of a request, a header field of a
// response, a variable of an authorizer.
type Pair = protocol.Pair

// Params are the parameters of a request, in the order in which the web server
// sent them: the CGI variables of RFC 3875 §4.1, such as REQUEST_METHOD, and
// whatever else it is configured to pass.
//
// Names are as sent; by custom they are upper case. If a name occurs more than
// once, its last value counts, because that is how a web server's own
// configuration overrides what it included before.
//
// Params are immutable, so they may be kept and used from any goroutine.
type Params struct {
	pairs protocol.Pairs
}

// NewParams returns Params that hold pairs, for tests of handlers.
func NewParams(pairs ...Pair) Params { return Params{protocol.NewPairs(pairs...)} }

// All yields each name and value in order, repeated names included.
func (p Params) All() iter.Seq2[string, string] { return p.pairs.All() }

// Len returns how many pairs there are.
func (p Params) Len() int { return p.pairs.Len() }

// Lookup returns the value of a name, and whether it is there. It searches all
// pairs, which for the usual twenty takes about 100 ns.
func (p Params) Lookup(name string) (value string, ok bool) { return p.pairs.Lookup(name) }

// Get returns the value of a name, or "" if it is not there.
func (p Params) Get(name string) string { return p.pairs.Get(name) }

// Map returns the parameters as a map, in which each name has its last value.
func (p Params) Map() map[string]string { return p.pairs.Map() }

// Environ returns the parameters as "NAME=value", the form of os.Environ, with
// names in upper case.
func (p Params) Environ() []string { return p.pairs.Environ() }

// MarshalJSON encodes the parameters as one object with names as keys, in
// order. Whether <, > and & are escaped is up to who asks: json.Marshal does, a
// json.Encoder as it is set.
func (p Params) MarshalJSON() ([]byte, error) {
	last := p.Map()
	b := []byte{'{'}
	for name := range p.All() {
		value, ok := last[name]
		if !ok {
			continue
		}
		delete(last, name)
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = appendJSONString(b, name)
		b = append(b, ':')
		b = appendJSONString(b, value)
	}
	return append(b, '}'), nil
}

// appendJSONString appends s as JSON, with <, > and & as they are: once escaped,
// an encoder that is set not to does not bring them back.
func appendJSONString(b []byte, s string) []byte {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s) // neither a string nor a buffer fails
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
