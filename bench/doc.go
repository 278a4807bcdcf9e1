//go:build linux

// Command bench puts this library beside its peers: it builds or installs each,
// gives all the same work in the same run, verifies every answer, and prints what
// a request costs the server as a ratio to a floor in C that only walks records.
//
// Server and load are pinned to a processor each, and what counts is the CPU time
// of the server's processes, so other work on the machine disturbs less than it
// would disturb rates.
//
//	go run ./bench                          everything
//	go run ./bench -quick                   see that it works
//	go run ./bench -only 'hello-*' -peers 'async-*,net-http-fcgi'
//	go run ./bench -write                   and write RESULTS.md and the plot
//
// It needs Linux and two processors. What it needs for a peer is beside it in
// sources.go; a peer that cannot be had is named in the output with the reason.
package main
