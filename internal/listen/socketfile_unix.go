//go:build unix

package listen

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// backlog asks for the system's maximum: all of them cut a larger value down to it.
const backlog = math.MaxInt16

// A fileMaker makes one listening socket file.
type fileMaker struct {
	path     string
	base     string   // the file's name in dir
	dir      *os.Root // so that changes of mode and owner follow no symbolic link out of it
	mode     os.FileMode
	uid, gid int
}

// socketFile makes the listening socket file path.
func (o *opener) socketFile(path string) (net.Listener, error) {
	m, err := o.newFileMaker(path)
	if err != nil {
		return nil, err
	}
	defer m.dir.Close()
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// One at a time: a socket refuses connections between bind and listen, as a dead one does.
	unlock := lockDirectory(m.dir)
	defer unlock()
	inner, info, err := m.listen()
	if err != nil {
		return nil, err
	}
	return &Listener{inner: inner, guard: o.guard, file: &socketFile{path: absolute, info: info}}, nil
}

// newFileMaker finds out all it can before anything is made.
func (o *opener) newFileMaker(path string) (*fileMaker, error) {
	dir, base := filepath.Split(path)
	if base == "" {
		return nil, errors.New("the path is a directory: add a file name")
	}
	m := &fileMaker{path: path, base: base, mode: o.mode()}
	var err error
	if m.uid, err = lookupOwner(o.opts.Owner); err != nil {
		return nil, err
	}
	if m.gid, err = lookupGroup(o.opts.Group); err != nil {
		return nil, err
	}
	if m.dir, err = os.OpenRoot(filepath.Clean(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no directory %s: create it", dir)
	} else if err != nil {
		return nil, err
	}
	return m, nil
}

// mode is the permission that the socket file gets.
func (o *opener) mode() os.FileMode {
	if o.opts.Mode == 0 {
		return DefaultMode
	}
	return o.opts.Mode
}

// listen binds the socket, sets who may connect, and only then calls listen: until then connecting is refused to
// everybody, so the mode that bind gives the file, which depends on the process-wide umask, does not count. See
// newSocket for a kernel where that alone is not enough.
func (m *fileMaker) listen() (net.Listener, os.FileInfo, error) {
	fd, err := m.bind()
	if err != nil {
		return nil, nil, err
	}
	info, err := m.restrict()
	if err == nil {
		err = os.NewSyscallError("listen", syscall.Listen(fd, backlog))
	}
	if err != nil {
		syscall.Close(fd)
		m.dir.Remove(m.base)
		return nil, nil, err
	}
	l, err := adopt(fd)
	if err != nil {
		m.dir.Remove(m.base)
		return nil, nil, err
	}
	return l, info, nil
}

// bind makes a socket with the path as its address, in the place of a stale one if need be.
func (m *fileMaker) bind() (int, error) {
	fd, err := m.newSocket()
	if err != nil {
		return -1, err
	}
	addr := &syscall.SockaddrUnix{Name: m.path}
	err = syscall.Bind(fd, addr)
	if err == syscall.EADDRINUSE {
		if err := m.removeStale(); err != nil {
			syscall.Close(fd)
			return -1, err
		}
		err = syscall.Bind(fd, addr)
	}
	if err != nil {
		syscall.Close(fd)
		return -1, os.NewSyscallError("bind", err)
	}
	return fd, nil
}

// newSocket is a close-on-exec Unix stream socket whose file will be born without permissions for others.
//
// Linux looks at a file's mode and at whether its socket listens at two different instants: a connection that found the
// mode still wide may get through after listen. But bind takes the mode from the socket itself, less the umask. The
// BSDs hold the file's lock over both looks, and some refuse fchmod.
func (m *fileMaker) newSocket() (int, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	syscall.CloseOnExec(fd)
	const ofOwner = 0o700 // not none: after a crash at this point, the owner's next start has to find the file stale
	if err := syscall.Fchmod(fd, uint32(m.mode&ofOwner)); err != nil && runtime.GOOS == "linux" {
		syscall.Close(fd)
		return -1, os.NewSyscallError("fchmod", err)
	}
	return fd, nil
}

// restrict gives the socket file its owner and then its mode, lest the mode's rights go to the group it had before. It
// makes sure of the mode: some file systems take no orders.
func (m *fileMaker) restrict() (os.FileInfo, error) {
	if m.uid != unchanged || m.gid != unchanged {
		if err := m.dir.Lchown(m.base, m.uid, m.gid); err != nil {
			return nil, fmt.Errorf("%w: only root can give the file to another user, and others only to a group they are in", err)
		}
	}
	if err := m.dir.Chmod(m.base, m.mode); err != nil {
		return nil, err
	}
	info, err := m.dir.Lstat(m.base)
	if err != nil {
		return nil, err
	}
	if info.Mode() != m.mode|fs.ModeSocket {
		return nil, fmt.Errorf("the file has mode %v instead of %v: choose a directory whose file system keeps modes",
			info.Mode(), m.mode|fs.ModeSocket)
	}
	return info, nil
}

// removeStale removes a socket file on which nothing answers, and no other file.
func (m *fileMaker) removeStale() error {
	info, err := m.dir.Lstat(m.base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != fs.ModeSocket:
		return errors.New("the file exists and is not a socket: choose another path, or remove it yourself")
	}
	c, err := net.Dial("unix", m.path)
	switch {
	case err == nil:
		c.Close()
		return errors.New("already in use: a program answers on it: stop that program, or choose another path")
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("already in use, and %w: remove the file if no program needs it", err)
	}
	return m.dir.Remove(m.base)
}
