package protocol_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

var someNames = []protocol.Pair{{"B", "1"}, {"A", ""}, {"B", strings.Repeat("v", 200)}, {"", "no name"}}

func TestPairsInOrder(t *testing.T) {
	p := protocol.NewPairs(someNames...)
	var got []protocol.Pair
	for name, value := range p.All() {
		got = append(got, protocol.Pair{Name: name, Value: value})
	}
	if !slices.Equal(got, someNames) || p.Len() != len(someNames) {
		t.Errorf("got %d pairs: %q", p.Len(), got)
	}
	first := 0
	for range p.All() {
		first++
		break
	}
	if first != 1 {
		t.Error("All goes on when it is told to stop")
	}
}

// A22: the last of equal names counts.
func TestPairsByName(t *testing.T) {
	p := protocol.NewPairs(someNames...)
	last := map[string]string{"A": "", "B": someNames[2].Value, "": "no name"}
	if got := p.Map(); !maps.Equal(got, last) {
		t.Errorf("Map is %q", got)
	}
	for _, name := range []string{"A", "B", "", "C", "b"} {
		want, there := last[name]
		if value, ok := p.Lookup(name); value != want || ok != there {
			t.Errorf("Lookup(%q) is %q, %v", name, value, ok)
		}
		if value := p.Get(name); value != want {
			t.Errorf("Get(%q) is %q", name, value)
		}
	}
}

func TestPairsEnviron(t *testing.T) {
	got := protocol.NewPairs(protocol.Pair{"path", "x=y"}, protocol.Pair{"HOME", ""}).Environ()
	if want := []string{"PATH=x=y", "HOME="}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestPairsBlock(t *testing.T) {
	whole := nv("A", "1") + nv("B", "2")
	for block, want := range map[string]int{"": 0, whole: 2, whole[:len(whole)-1]: 1, "\xff": 0} {
		p := protocol.PairsOf(block)
		if p.Len() != want || p.Block() != block {
			t.Errorf("%q: got %d pairs of %q", block, p.Len(), p.Block())
		}
	}
	if got := protocol.NewPairs(protocol.Pair{"A", "1"}, protocol.Pair{"B", "2"}).Block(); got != whole {
		t.Errorf("encoded as %q, want %q", got, whole)
	}
}

func TestNoPairs(t *testing.T) {
	var none protocol.Pairs
	if _, ok := none.Lookup(""); ok || none.Len() != 0 || none.Block() != "" || len(none.Map()) != 0 || len(none.Environ()) != 0 {
		t.Error("the zero Pairs hold something")
	}
}

// To hold pairs costs nothing but the block.
func TestPairsAllocations(t *testing.T) {
	p := protocol.NewPairs(someNames...)
	block := p.Block()
	if n := testing.AllocsPerRun(100, func() {
		q := protocol.PairsOf(block)
		for name, value := range q.All() {
			if _, ok := q.Lookup(name); !ok || len(value) > len(block) {
				t.Error("not those that were put in")
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() { p = protocol.NewPairs(someNames...) }); n > 2 {
		t.Errorf("%v allocations to encode", n)
	}
}
