//go:build linux

// Command clients puts this library's client beside other FastCGI clients in Go: it
// builds each, gives all the same calls to the same application in the same run,
// verifies every answer, and prints what a call costs the client.
//
// Client and application have a processor each, and what counts is the CPU time of the
// client's process. Rounds are interleaved: each client has one before any has its
// next, and of each the cheapest counts.
//
//	go run ./bench/clients                     everything
//	go run ./bench/clients -quick              see that it works
//	go run ./bench/clients -only kept,close    some of the work
//	go run ./bench/clients -write              and write RESULTS.md and the plot
//
// It needs Linux and two processors. The other clients are in modules of their own;
// one whose module cannot be had is named in the output with the reason.
package main
