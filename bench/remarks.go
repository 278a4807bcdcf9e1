//go:build linux

package main

import (
	"slices"
	"strings"
)

func (m remark) String() string {
	if m.Work == "" {
		return m.Peer + ": " + m.Reason
	}
	return m.Peer + ", " + m.Work + ": " + m.Reason
}

// merged makes one remark of those that a peer has for the same reason.
func merged(remarks []remark) (out []remark) {
	for _, m := range remarks {
		i := slices.IndexFunc(out, func(o remark) bool { return o.Peer == m.Peer && o.Reason == m.Reason })
		if i < 0 {
			out = append(out, m)
			continue
		}
		out[i].Work = strings.Join([]string{out[i].Work, m.Work}, ", ")
	}
	return out
}
