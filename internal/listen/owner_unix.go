//go:build unix

package listen

import (
	"fmt"
	"os/user"
	"strconv"
)

// unchanged as a uid or gid leaves the owner or group of a file as it is.
const unchanged = -1

// lookupOwner is the uid of a user given by name or number.
func lookupOwner(owner string) (int, error) {
	return lookupID("owner", owner, func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
}

// lookupGroup is the gid of a group given by name or number.
func lookupGroup(group string) (int, error) {
	return lookupID("group", group, func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
}

// lookupID asks the system for names only: numbers work where there is no user database.
func lookupID(what, id string, lookup func(name string) (string, error)) (int, error) {
	if id == "" {
		return unchanged, nil
	}
	if n, err := strconv.ParseUint(id, 10, 31); err == nil {
		return int(n), nil
	}
	number, err := lookup(id)
	if err != nil {
		return 0, fmt.Errorf("%s %q: %w: give a name that exists here, or a number", what, id, err)
	}
	return strconv.Atoi(number)
}
