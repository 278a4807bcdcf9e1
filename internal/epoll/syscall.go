//go:build linux

package epoll

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The loop's system calls never wait, so Go's scheduler is not told of them: it
// would get ready to run others meanwhile, which costs a tenth of a small
// request. Each ends within some 20 µs, for 64 KiB.

// read is read(2) of a non-blocking socket.
func read(fd int32, p []byte) (int, syscall.Errno) {
	n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
	return int(n), err
}

// write is write(2) to a non-blocking socket, or writev(2) if there are two parts.
func write(fd int32, head, body []byte) (int, syscall.Errno) {
	switch {
	case len(body) == 0:
	case len(head) == 0:
		head = body
	default:
		return writev(fd, head, body)
	}
	n, _, err := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(head))), uintptr(len(head)))
	return int(n), err
}

func writev(fd int32, head, body []byte) (int, syscall.Errno) {
	parts := [2]unix.Iovec{{Base: &head[0]}, {Base: &body[0]}}
	parts[0].SetLen(len(head))
	parts[1].SetLen(len(body))
	n, _, err := unix.RawSyscall(unix.SYS_WRITEV, uintptr(fd), uintptr(unsafe.Pointer(&parts)), uintptr(len(parts)))
	return int(n), err
}

// epollWait is epoll_wait(2) without the wait.
func epollWait(fd uintptr, events []unix.EpollEvent) (int, syscall.Errno) {
	n, _, err := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, fd, uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
	return int(n), err
}

// accept4 is accept4(2) on a non-blocking socket, whose peers' addresses go to
// from. The new socket is non-blocking as well.
func accept4(fd int, from *sockaddr) (int32, syscall.Errno) {
	*from = sockaddr{len: unix.SizeofSockaddrAny}
	n, _, err := unix.RawSyscall6(unix.SYS_ACCEPT4, uintptr(fd), uintptr(unsafe.Pointer(&from.any)), uintptr(unsafe.Pointer(&from.len)),
		unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0, 0)
	return int32(n), err
}

// A sockaddr is an address as the kernel writes it.
type sockaddr struct {
	any unix.RawSockaddrAny
	len uint32 // how much of any was written
}

// addr returns a peer's address as package net has it.
func (s *sockaddr) addr() net.Addr {
	switch s.any.Addr.Family {
	case unix.AF_INET:
		in := (*unix.RawSockaddrInet4)(unsafe.Pointer(&s.any))
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom4(in.Addr), ntohs(in.Port)))
	case unix.AF_INET6:
		in := (*unix.RawSockaddrInet6)(unsafe.Pointer(&s.any))
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.AddrFrom16(in.Addr), ntohs(in.Port)))
	}
	return s.unix()
}

// ntohs returns a port whose bytes are in the network's order.
func ntohs(port uint16) uint16 {
	var b [2]byte
	binary.NativeEndian.PutUint16(b[:], port)
	return binary.BigEndian.Uint16(b[:])
}

// unnamed is the address of nearly every peer of a Unix socket.
var unnamed net.Addr = &net.UnixAddr{Net: "unix"}

// unix returns the address of a Unix socket's peer, which has a name only if it
// was bound to one.
func (s *sockaddr) unix() net.Addr {
	un := (*unix.RawSockaddrUnix)(unsafe.Pointer(&s.any))
	named := int(s.len) - int(unsafe.Offsetof(un.Path))
	if named <= 0 {
		return unnamed
	}
	path := unsafe.Slice((*byte)(unsafe.Pointer(&un.Path)), named)
	if path[0] == 0 {
		path[0] = '@' // abstract, as package net writes it
	} else if i := bytes.IndexByte(path, 0); i >= 0 {
		path = path[:i]
	}
	return &net.UnixAddr{Name: string(path), Net: "unix"}
}
