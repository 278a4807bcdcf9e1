package supervise

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// hide takes the socket's name away. Here, a descriptor that was opened for nothing but to refer to a file (O_PATH)
// still leads to it, through /proc. Where there is no /proc, the name stays.
func (s *Socket) hide() {
	handle, err := os.OpenFile(s.path, unix.O_PATH, 0)
	if err != nil {
		return
	}
	path := "/proc/self/fd/" + strconv.Itoa(int(handle.Fd()))
	if _, err := os.Stat(path); err != nil {
		handle.Close()
		return
	}
	os.RemoveAll(s.folder)
	s.path, s.folder, s.handle = path, "", handle
}
