package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A room is a box of the drawing.
type room struct {
	place
	tools []string // the small packages that it uses
	out   []*arrow
	in    []*arrow
}

// An arrow is an import.
type arrow struct {
	from, to *room
	implied  bool // other arrows lead there as well
}

type house struct {
	rooms  []*room
	arrows []*arrow
}

// build puts packages into their rooms and draws the arrows between them.
func build(imports map[string][]string) (*house, error) {
	h := new(house)
	for _, p := range plan {
		h.rooms = append(h.rooms, &room{place: p})
	}
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		if within(from, testing) || slices.Contains(small, from) {
			continue
		}
		r := h.roomOf(from)
		if r == nil {
			return nil, fmt.Errorf("package %s has no room: give it a place in internal/house/draw/plan.go", from)
		}
		for _, to := range imports[from] {
			if err := h.join(r, to); err != nil {
				return nil, err
			}
		}
	}
	h.thinOut()
	return h, nil
}

// join draws the arrow of an import, unless it is there.
func (h *house) join(from *room, folder string) error {
	if slices.Contains(small, folder) {
		name := folder[strings.LastIndexByte(folder, '/')+1:]
		if !slices.Contains(from.tools, name) {
			from.tools = append(from.tools, name)
			slices.Sort(from.tools)
		}
		return nil
	}
	to := h.roomOf(folder)
	switch {
	case to == nil:
		return fmt.Errorf("%s imports %s, which has no room", from.title, folder)
	case to == from || slices.ContainsFunc(from.out, func(a *arrow) bool { return a.to == to }):
		return nil
	case to.row <= from.row:
		return fmt.Errorf("%s imports %s, which does not stand below it: imports point down", from.title, to.title)
	}
	a := &arrow{from: from, to: to}
	from.out, to.in = append(from.out, a), append(to.in, a)
	h.arrows = append(h.arrows, a)
	return nil
}

// roomOf returns the room of the package in a folder: the most particular one.
func (h *house) roomOf(folder string) (best *room) {
	for _, r := range h.rooms {
		if within(folder, []string{r.folder}) && (best == nil || len(r.folder) > len(best.folder)) {
			best = r
		}
	}
	return best
}

// within reports whether a folder is one of those, or below one.
func within(folder string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return folder == f || strings.HasPrefix(folder, f+"/") })
}

// thinOut marks the arrows that say nothing new, since others lead there as well, and leaves most of them out: those of
// the root stay, which is what the drawing is about, but for the one to the ground that all stand on.
func (h *house) thinOut() {
	for _, a := range h.arrows {
		a.implied = slices.ContainsFunc(a.from.out, func(b *arrow) bool { return b != a && b.to.reaches(a.to) })
	}
	superfluous := func(a *arrow) bool { return a.implied && (a.from.folder != "." || a.to.folder == "protocol") }
	h.arrows = slices.DeleteFunc(h.arrows, superfluous)
	for _, r := range h.rooms {
		r.out, r.in = slices.DeleteFunc(r.out, superfluous), slices.DeleteFunc(r.in, superfluous)
		slices.SortFunc(r.out, func(a, b *arrow) int { return cmp.Compare(a.to.middle(), b.to.middle()) })
		slices.SortFunc(r.in, func(a, b *arrow) int { return cmp.Compare(a.from.middle(), b.from.middle()) })
	}
}

func (r *room) reaches(other *room) bool {
	return r == other || slices.ContainsFunc(r.out, func(a *arrow) bool { return a.to.reaches(other) })
}
