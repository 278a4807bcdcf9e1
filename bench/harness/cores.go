//go:build linux

package harness

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// Cores are the processors of the server and of the load.
type Cores struct{ Server, Load int }

// SplitCores finds them, and moves this process to that of the load.
func SplitCores() (Cores, error) {
	c, err := FindCores()
	if err != nil {
		return c, err
	}
	runtime.GOMAXPROCS(1)
	return c, pinSelf(c.Load)
}

// FindCores takes the first two processors that there are.
func FindCores() (Cores, error) {
	var usable unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usable); err != nil {
		return Cores{}, err
	}
	var found []int
	for i := range len(usable) * 64 {
		if usable.IsSet(i) {
			found = append(found, i)
		}
	}
	if len(found) < 2 {
		return Cores{}, errors.New("this process may use one processor only, and the load needs one beside the server's: run it on a machine with two, without taskset")
	}
	return Cores{Server: found[0], Load: found[1]}, nil
}

// pinSelf moves all threads of this process to a processor. Those to come start
// where the ones that start them are.
func pinSelf(core int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	for _, t := range threads {
		tid, err := strconv.Atoi(t.Name())
		if err == nil {
			err = unix.SchedSetaffinity(tid, only(core))
		}
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("pinning to processor %d: %w", core, err)
		}
	}
	return nil
}

// OnCore calls start with this thread on a processor, so that the process it
// starts is there too, and all of its.
func OnCore(core int, start func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return err
	}
	if err := unix.SchedSetaffinity(0, only(core)); err != nil {
		return err
	}
	defer unix.SchedSetaffinity(0, &before)
	return start()
}

func only(core int) *unix.CPUSet {
	var set unix.CPUSet
	set.Set(core)
	return &set
}

// RaiseFileLimit makes room for n descriptors, here and in the servers.
func RaiseFileLimit(n uint64) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	hard := limit.Max
	limit.Max = max(limit.Max, n)
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("%d connections need as many descriptors, and the limit is %d: raise it as root with prlimit --nofile=%d --pid $$ (%w)",
			n, hard, n, err)
	}
	return nil
}
