package webhandler

import (
	"fmt"
	"net"
	"net/http"
	"strconv"
)

// Serve is the main function of a peer that serves a handler of net/http. Its
// arguments are the path of a Unix socket, the task, and the size if the task has
// one. It returns why it cannot go on.
func Serve(args []string, serve func(net.Listener, http.Handler) error) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: unix-socket-path task [size]")
	}
	size, err := Size(args[2:])
	if err != nil {
		return err
	}
	h, err := New(args[1], size)
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", args[0])
	if err != nil {
		return err
	}
	return serve(l, h)
}

// Size is the size that a task has, the last argument of a peer. It is zero if
// there is none.
func Size(args []string) (int, error) {
	if len(args) == 0 {
		return 0, nil
	}
	return strconv.Atoi(args[0])
}
