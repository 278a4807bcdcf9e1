//go:build linux || freebsd

package main

import "testing"

// F15: no worker outlives a tool that is killed.
func TestWorkersDieWithTheTool(t *testing.T) {
	s := beginProcess(t, onFreePort()...).ready()
	request := s.hold()
	s.process.Kill()
	request.waitForDeath()
	s.end(-1) // a signal
	<-request.answer
}
