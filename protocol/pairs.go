package protocol

import (
	"iter"
	"strings"
)

// A Pair is a name with its value: a parameter of a request, a header field of a
// response, a variable of an authorizer.
type Pair struct {
	Name, Value string
}

// Pairs are name-value pairs (§3.4) in the order in which they were sent, such
// as the parameters of a request.
//
// They stay encoded, in one string: to hold them costs one allocation, whatever
// their number. If a name occurs more than once, its last value counts.
//
// Pairs are immutable, so they may be kept and used from any goroutine. The zero
// value holds none.
type Pairs struct {
	block string // encoded, known to be whole
}

// NewPairs returns Pairs that hold pairs.
func NewPairs(pairs ...Pair) Pairs {
	n := 0
	for _, p := range pairs {
		n += PairLen(p.Name, p.Value)
	}
	b := make([]byte, 0, n)
	for _, p := range pairs {
		b = AppendPair(b, p.Name, p.Value)
	}
	return PairsOf(string(b))
}

// PairsOf returns the pairs that a block of PARAMS holds, without a copy. The
// block has to be whole, as one that a [Conn] has let pass is: nothing is checked
// here, and of a block that is cut off, the pair at its end is not there.
func PairsOf(block string) Pairs { return Pairs{block} }

// Block returns the pairs as they are encoded.
func (p Pairs) Block() string { return p.block }

// All yields each name and value in order, repeated names included.
func (p Pairs) All() iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for rest := p.block; len(rest) > 0; {
			name, value, after, err := CutPair(rest)
			if err != nil || !yield(name, value) {
				return
			}
			rest = after
		}
	}
}

// Len returns how many pairs there are.
func (p Pairs) Len() int {
	n := 0
	for range p.All() {
		n++
	}
	return n
}

// Lookup returns the value of a name, and whether it is there. It searches all
// pairs, which for the usual twenty takes about 100 ns.
func (p Pairs) Lookup(name string) (value string, ok bool) {
	for n, v := range p.All() {
		if n == name {
			value, ok = v, true
		}
	}
	return value, ok
}

// Get returns the value of a name, or "" if it is not there.
func (p Pairs) Get(name string) string {
	value, _ := p.Lookup(name)
	return value
}

// Map returns the pairs as a map, in which each name has its last value.
func (p Pairs) Map() map[string]string {
	m := make(map[string]string, 32)
	for name, value := range p.All() {
		m[name] = value
	}
	return m
}

// Environ returns the pairs as "NAME=value", the form of os.Environ, with names
// in upper case.
func (p Pairs) Environ() []string {
	var env []string
	for name, value := range p.All() {
		env = append(env, strings.ToUpper(name)+"="+value)
	}
	return env
}
