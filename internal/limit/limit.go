// Package limit reads a number that somebody set, in the one way that holds for every field and flag of this module:
// zero means the default, and below zero means no limit, or off where the field says so. And it has the timer for a limit
// that counts only some of the time.
//
// It sits on nothing. The root package, client, gateway and the tool use it; package protocol, which imports nothing of
// this module, keeps to the same rule.
package limit

// Of returns n as it was meant: def if it is zero, and none, which is how the caller spells "no limit", if it is below.
func Of[T ~int | ~int64](n, def, none T) T {
	switch {
	case n == 0:
		return def
	case n < 0:
		return none
	}
	return n
}
