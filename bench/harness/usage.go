//go:build linux

package harness

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime is the CPU time that the process and its children have used, all
// threads of them, also those that have ended. It is what the scheduler counts, in
// nanoseconds.
func (p *Process) CPUTime() (total time.Duration, err error) {
	pids, err := p.group()
	for _, pid := range pids {
		// The clock of a process is not in the headers, but in the manual:
		// clock_getcpuclockid(3) makes this of its id.
		clock := int32(^pid)<<3 | 2
		var ts unix.Timespec
		if err := unix.ClockGettime(clock, &ts); err != nil {
			return 0, fmt.Errorf("CPU clock of process %d: %w", pid, err)
		}
		total += time.Duration(ts.Nano())
	}
	return total, err
}

// Peak is the most memory that the process has had. The kernel does not tell
// that for several at once: of those it is what they have now, pages that they
// share counted once.
func (p *Process) Peak() (int64, error) {
	pids, err := p.group()
	switch {
	case err != nil:
		return 0, err
	case len(pids) > 1:
		return p.Memory("smaps_rollup", "Pss:")
	}
	return p.Memory("status", "VmHWM:")
}

// Memory is a figure of a file /proc/PID/FILE in bytes, the sum over the process
// and its children.
func (p *Process) Memory(file, field string) (total int64, err error) {
	pids, err := p.group()
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
		if err != nil {
			return 0, err
		}
		words := strings.Fields(string(status))
		i := slices.Index(words, field)
		if i < 0 {
			return 0, fmt.Errorf("process %d has no %s", pid, field)
		}
		n, err := strconv.ParseInt(words[i+1], 10, 64)
		if err != nil {
			return 0, err
		}
		total += n * KiB
	}
	return total, err
}

// group lists the process and its children.
func (p *Process) group() (pids []int, err error) {
	leader := p.cmd.Process.Pid
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended meanwhile
		}
		// The name, in parentheses, may have spaces in it; then come state,
		// parent and group.
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(leader) && fields[0] != "Z" {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil {
				return nil, err
			}
			pids = append(pids, pid)
		}
	}
	if len(pids) == 0 {
		return nil, fmt.Errorf("process %d has ended", leader)
	}
	return pids, nil
}
