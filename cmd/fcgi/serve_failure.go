package main

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
)

// startFailure says why a program could not be started.
func startFailure(program string, err error) error {
	what, remedy := program+" cannot be started: "+err.Error(), ""
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, exec.ErrDot):
		what = "there is no command " + program
		remedy = "No folder in PATH has it. A program in this folder has a path: ./" + program
	case isFolder(program):
		what = program + " is a folder, not a program"
		remedy = "Name the program in it."
	case errors.Is(err, fs.ErrNotExist) && isFile(program):
		what = program + " names an interpreter that does not exist"
		remedy = "See what follows #! in its first line."
	case errors.Is(err, fs.ErrNotExist):
		what = "there is no program " + program
		remedy = "Is it built? Note that " + here()
	case errors.Is(err, fs.ErrPermission):
		what = program + " may not be executed"
		remedy = "If it is a program: chmod +x " + program
	case errors.Is(err, syscall.ENOEXEC):
		what = program + " is not a program that runs here"
		remedy = "A script needs a first line like #!/bin/sh, a program must be built for " + runtime.GOOS + "/" + runtime.GOARCH + "."
	}
	return failed(err, what, remedy)
}

// exitFailure says that a program ended before it had answered anything.
func exitFailure(program string, err error, spoke bool) error {
	remedy := "It wrote nothing."
	switch {
	case spoke:
		remedy = "What it wrote is above."
	case err == nil:
		remedy = "It wrote nothing. A FastCGI application stays, and in the foreground: if it has an option for that, use it."
	}
	return failed(err, program+" "+describeEnd(err)+" before it answered", remedy)
}

// describeEnd is what a process did when it ended with such an error: "exited with status 3".
func describeEnd(err error) string {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return "exited with status 0"
	case !errors.As(err, &exit):
		return "could not be started: " + err.Error()
	case exit.ExitCode() >= 0:
		return "exited with status " + strconv.Itoa(exit.ExitCode())
	}
	return "was ended by a signal (" + strings.TrimPrefix(exit.Error(), "signal: ") + ")"
}

// socketFailure says why there is no socket to hand over.
func socketFailure(err error) error {
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return failed(err, "fcgi serve cannot run applications on "+runtime.GOOS,
			"It hands them a listening socket as file descriptor 0, which exists on Unix only: run it there, in WSL for instance, or have the application listen on a TCP address and point a web server at it.")
	case errors.Is(err, syscall.EINVAL):
		return failed(err, "the path of a socket in "+os.TempDir()+" would be too long", "Name a folder with a shorter path, as in: TMPDIR=/tmp fcgi serve ...")
	}
	return failed(err, "cannot make a socket: "+errors.Unwrap(err).Error(), "TMPDIR says where, and is "+os.TempDir()+" now.")
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// here says where relative paths begin, which is what most wrong ones got wrong.
func here() string {
	dir, err := os.Getwd()
	if err != nil {
		return "relative paths begin in the current folder."
	}
	return "relative paths begin in " + dir + "."
}
