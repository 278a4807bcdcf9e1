//go:build linux

package harness

import (
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A Machine is where and when a run took place.
type Machine struct {
	CPU    string `json:"cpu"`
	Kernel string `json:"kernel"`
	System string `json:"system"`
	Commit string `json:"commit"`
	Date   string `json:"date"`
}

// DescribeMachine notes what is known; what is not stays empty.
func DescribeMachine(root string) Machine {
	m := Machine{
		CPU:    field("/proc/cpuinfo", "model name", ":"),
		System: strings.Trim(field("/etc/os-release", "PRETTY_NAME", "="), `"`),
		Date:   time.Now().UTC().Format(time.DateOnly),
	}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
	}
	cmd := exec.Command("git", "describe", "--always", "--dirty", "--tags")
	cmd.Dir = root
	if out, err := cmd.Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// field is the value of the first line of a file that begins with a name.
func field(path, name, separator string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		key, value, ok := strings.Cut(line, separator)
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
