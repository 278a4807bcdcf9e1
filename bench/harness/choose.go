//go:build linux

package harness

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Matches reports whether a comma-separated list has id, or a pattern that fits
// it.
func Matches(list, id string) bool {
	return slices.ContainsFunc(strings.Split(list, ","), func(pattern string) bool {
		ok, err := path.Match(strings.TrimSpace(pattern), id)
		return ok && err == nil
	})
}

// NoMatch says which part of a list fits none of the ids.
func NoMatch(option, list string, ids []string) error {
	for pattern := range strings.SplitSeq(list, ",") {
		if !slices.ContainsFunc(ids, func(id string) bool { return Matches(pattern, id) }) {
			return fmt.Errorf("%s %q fits nothing; choose of %s", option, pattern, strings.Join(ids, ", "))
		}
	}
	return nil
}
