// Command bench measures what a request costs: it runs this library's hello in
// each mode, its peers, and a floor in C that only walks records, gives each the
// same load in the same run, and prints the server's CPU time for each request
// as a ratio to the floor.
//
// Server and load are pinned to a core each, and what counts is the CPU time of
// the server process, so other work on the machine disturbs less than it would
// disturb rates. Every answer is verified.
//
//	go run ./bench [-requests 100000] [-conns 32] [-rounds 3] [-json]
//
// It needs Linux, a C compiler and taskset.
package main
