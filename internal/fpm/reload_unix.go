//go:build unix

package fpm

import "syscall"

// Reload has FPM begin anew with the same listening socket, as `systemctl reload` does. It returns at once.
func (p *Process) Reload() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		p.t.Fatal(err)
	}
}
