//go:build unix

package supervise_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// play is the program under supervision. It takes one connection from file descriptor 0, says "ROLE PID" on it, obeys
// "exit N" and otherwise holds it until the other end closes it. Nothing but its death closes it from this side.
func play(role string) int {
	switch role {
	case "hold":
		return hold(role)
	case "exit":
		fmt.Fprintln(os.Stderr, "cannot work")
		return 3
	case "print":
		fmt.Print("out 1\nout 2\r\n")
		fmt.Fprint(os.Stderr, "err\xff 1\n\nerr 3, unfinished")
		return 0
	case "obey": // SIGTERM
		return onTerm(func() { fmt.Fprintln(os.Stderr, "bye") })
	case "ignore": // SIGTERM
		return onTerm(func() { fmt.Fprintln(os.Stderr, "no"); select {} })
	case "parent": // of a process in its group
		return parent(nil)
	case "daemon": // parent of one that left its group, but only once: nobody would end the next
		if os.Mkdir(os.Args[1], 0o700) != nil {
			return hold(role)
		}
		return parent(&syscall.SysProcAttr{Setsid: true})
	case "supervisor":
		return supervisor()
	}
	fmt.Fprintln(os.Stderr, "no such role:", role)
	return 99
}

func hold(role string) int {
	conn, err := accept()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 98
	}
	fmt.Fprintln(conn, role, os.Getpid())
	var status int
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if n, _ := fmt.Sscanf(lines.Text(), "exit %d", &status); n == 1 {
			break
		}
	}
	return status
}

func accept() (net.Conn, error) {
	l, err := net.FileListener(os.Stdin)
	if err != nil {
		return nil, err
	}
	return l.Accept()
}

func onTerm(then func()) int {
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	fmt.Fprintln(os.Stderr, "ready")
	<-term
	then()
	return 0
}

// parent starts a process that holds a connection, then holds one itself.
func parent(attr *syscall.SysProcAttr) int {
	child := exec.Command(os.Args[0])
	child.Env = withRole("hold")
	child.Stdin, child.Stderr = os.Stdin, os.Stderr
	child.SysProcAttr = attr
	if err := child.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 97
	}
	return hold("parent")
}

// supervisor keeps two workers until it is killed. It prints where their socket is for another process.
func supervisor() int {
	socket, err := supervise.Listen()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 96
	}
	pool := &supervise.Pool{Command: os.Args[:1], Env: withRole("hold"), Workers: 2, Socket: socket.File}
	if err := pool.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 95
	}
	fmt.Println(strings.Replace(socket.Path(), "/self/", fmt.Sprintf("/%d/", os.Getpid()), 1))
	select {}
}

// withRole is the environment in which this binary plays a role; of two values for a name, the last one counts. The
// race detector would have each process sleep for a second when it exits.
func withRole(role string) []string {
	return append(os.Environ(), "SUPERVISE_TEST_ROLE="+role, "GORACE=atexit_sleep_ms=0")
}
