package protocol

import "iter"

// Pairs TEMP
type Pairs struct{ block string }

func PairsOf(block string) Pairs { return Pairs{block} }

func (p Pairs) Block() string { return p.block }

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

func (p Pairs) Get(name string) (value string) {
	for n, v := range p.All() {
		if n == name {
			value = v
		}
	}
	return value
}
