package listen

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// systemdFirst is the first descriptor that systemd passes (SD_LISTEN_FDS_START).
const systemdFirst = 3

// A systemdSocket is one descriptor of LISTEN_FDS.
type systemdSocket struct {
	fd   int
	name string
}

// systemd is what its variables say: which process they are meant for, how many sockets it gets, and their names.
type systemd struct {
	pid, count, names string
}

// takeSystemd reads systemd's variables and unsets them, whether they are meant for this process or not: a child must
// not take them for its own.
func takeSystemd() systemd {
	s := systemd{os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")}
	for _, name := range []string{"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	return s
}

// isOurs reports whether the variables are meant for this process.
func (s systemd) isOurs() bool { return s.pid == strconv.Itoa(os.Getpid()) }

// sockets pairs this process's descriptors with their names. The names may be missing altogether, but not in part: then
// nobody can say which are meant.
func (s systemd) sockets() ([]systemdSocket, error) {
	if !s.isOurs() {
		return nil, nil
	}
	n, err := strconv.ParseUint(s.count, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: LISTEN_FDS=%q is not a number of descriptors: correct it, or unset it and LISTEN_PID",
			s.count)
	}
	sockets := make([]systemdSocket, n)
	for i := range sockets {
		sockets[i].fd = systemdFirst + i
	}
	if s.names == "" {
		return sockets, nil
	}
	parts := strings.Split(s.names, ":")
	if len(parts) != len(sockets) {
		return nil, fmt.Errorf("fastcgi: LISTEN_FDNAMES=%q has %d names and LISTEN_FDS says %d descriptors: make them agree, or unset LISTEN_FDNAMES",
			s.names, len(parts), len(sockets))
	}
	for i := range sockets {
		sockets[i].name = parts[i]
	}
	return sockets, nil
}

// whyUnused says of variables that pass this process nothing why that is, and what to do about it. It follows "fd 0 is no
// listening socket" in a sentence, and ends where another remedy may begin.
func (s systemd) whyUnused() string {
	switch {
	case s.count == "":
		return ": "
	case s.isOurs():
		return fmt.Sprintf(", and LISTEN_FDS=%s passes none: add ListenStream= to the socket unit, or ", s.count)
	case s.pid == "":
		return fmt.Sprintf(", and LISTEN_FDS=%q is of no use without LISTEN_PID: set that to the program's process id, or ", s.count)
	}
	return fmt.Sprintf(", and LISTEN_FDS=%q is meant for process %q (LISTEN_PID) and not for this one, %d: "+
		"start the program with exec, as in sh -c 'umask 77; exec ./app', so that a shell does not stay in its place, or ",
		s.count, s.pid, os.Getpid())
}

// systemd takes over all the sockets or none.
func (o *opener) systemd(sockets []systemdSocket) ([]net.Listener, error) {
	const remedy = ", though LISTEN_FDS counts it: pass listening stream sockets, as many as it says; " +
		"in a socket unit, use ListenStream= and Accept=no"
	ls := make([]net.Listener, 0, len(sockets))
	for _, s := range sockets {
		l, err := o.inherit(s.fd, s.name, remedy)
		if err != nil {
			closeAll(ls)
			return nil, err
		}
		ls = append(ls, l)
	}
	return ls, nil
}
