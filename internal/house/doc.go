// Package house holds the invariants of this code base as a whole: which package may import which, what the library
// may depend on, how files are named and how long they grow, and that a program outside this module can use it.
//
// It has tests only, and sits on nothing: the tests read the checkout as a user would, through the go command.
// Nobody imports it. A new package at the top of the tree needs a row in layers_test.go first, and every package a room
// in the drawing of docs/architecture.md, which the command draw makes.
package house
