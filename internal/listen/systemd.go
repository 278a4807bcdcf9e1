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

// systemdSockets reads systemd's variables and unsets them, whether they were meant for this process or not: a child
// must not take them for its own.
func systemdSockets() ([]systemdSocket, error) {
	pid, count, names := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS"), os.Getenv("LISTEN_FDNAMES")
	for _, name := range []string{"LISTEN_PID", "LISTEN_PIDFDID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if pid != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	return parseSystemd(count, names)
}

// parseSystemd pairs descriptors with their names. The names may be missing altogether, but not in part: then nobody
// can say which are meant.
func parseSystemd(count, names string) ([]systemdSocket, error) {
	n, err := strconv.ParseUint(count, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("fastcgi: LISTEN_FDS=%q is not a number of descriptors: unset it or correct it", count)
	}
	sockets := make([]systemdSocket, n)
	for i := range sockets {
		sockets[i].fd = systemdFirst + i
	}
	if names == "" {
		return sockets, nil
	}
	parts := strings.Split(names, ":")
	if len(parts) != len(sockets) {
		return nil, fmt.Errorf("fastcgi: LISTEN_FDNAMES has %d names and LISTEN_FDS says %d descriptors: make them agree",
			len(parts), len(sockets))
	}
	for i := range sockets {
		sockets[i].name = parts[i]
	}
	return sockets, nil
}

// systemd takes over all the sockets or none.
func (o *opener) systemd(sockets []systemdSocket) ([]net.Listener, error) {
	const remedy = "LISTEN_FDS must pass listening stream sockets: use ListenStream= and Accept=no in the socket unit"
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
