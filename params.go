package fastcgi

import (
	"encoding/json"
	"iter"
	"strings"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A Pair is a name with its value: a parameter of a request, a header of a
// response, a variable of an authorizer.
type Pair struct {
	Name, Value string
}

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
	block string // encoded pairs (§3.4), known to be whole
}

// paramsOf returns Params over the protocol's pairs.
func paramsOf(p protocol.Pairs) Params { return Params{p.Block()} }

// NewParams returns Params that hold pairs, for tests of handlers.
func NewParams(pairs ...Pair) Params {
	var b []byte
	for _, p := range pairs {
		b = protocol.AppendPair(b, p.Name, p.Value)
	}
	return Params{block: string(b)}
}

// All yields each name and value in order, repeated names included.
func (p Params) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for rest := p.block; len(rest) > 0; {
			name, value, after, err := protocol.CutPair(rest)
			if err != nil || !yield(name, value) {
				return
			}
			rest = after
		}
	}
}

// Len returns how many pairs there are.
func (p Params) Len() int {
	n := 0
	for range p.All() {
		n++
	}
	return n
}

// Lookup returns the value of a name, and whether it is there. It searches all
// pairs, which for the usual twenty takes about 100 ns.
func (p Params) Lookup(name string) (value string, ok bool) {
	for n, v := range p.All() {
		if n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Get returns the value of a name, or "" if it is not there.
func (p Params) Get(name string) string {
	value, _ := p.Lookup(name)
	return value
}

// Map returns the parameters as a map, in which each name has its last value.
func (p Params) Map() map[string]string {
	m := make(map[string]string, 32)
	for name, value := range p.All() {
		m[name] = value
	}
	return m
}

// Environ returns the parameters as "NAME=value", the form of os.Environ, with
// names in upper case.
func (p Params) Environ() []string {
	var env []string
	for name, value := range p.All() {
		env = append(env, strings.ToUpper(name)+"="+value)
	}
	return env
}

// MarshalJSON encodes the parameters as one object with names as keys, in
// order.
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
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, key...), ':'), text...)
	}
	return append(b, '}'), nil
}
