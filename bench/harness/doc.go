//go:build linux

// Package harness has what the benchmarks share: a processor for who is measured
// and one for the other end, processes and the time and memory that they take,
// requests and answers that are verified, and figures as text, tables and charts.
package harness
