package supervise

import (
	"os"
	"os/exec"
	"sync/atomic"
	"time"
)

// outputGrace is how long the output of a process is still read after its end, when something that left its process
// group holds on to the pipe.
const outputGrace = time.Second

// A process is one run of the program.
type process struct {
	cmd    *exec.Cmd
	output *os.File // what it writes to its file descriptors 1 and 2
	reaped atomic.Bool
}

// start runs a command with a socket as its file descriptor 0. What it prints on its standard output is read as well
// as its standard error: a FastCGI application has no use for the former, and a stray print should not be lost.
func start(command, env []string, socket *os.File) (*process, error) {
	output, theirs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = env
	cmd.Stdin, cmd.Stdout, cmd.Stderr = socket, theirs, theirs
	cmd.SysProcAttr = ownGroup()
	if err := cmd.Start(); err != nil {
		output.Close()
		return nil, err
	}
	return &process{cmd: cmd, output: output}, nil
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// wait calls line for each line that the process writes, and returns how it ended. It must be called once.
func (p *process) wait(line func(string)) error {
	read := make(chan struct{})
	go func() {
		defer close(read)
		eachLine(p.output, line)
	}()
	err := p.cmd.Wait()
	p.reaped.Store(true)
	killGroup(p.pid()) // what it started and left behind, which may hold the socket and the pipe
	p.output.SetReadDeadline(time.Now().Add(outputGrace))
	<-read
	p.output.Close()
	return err
}

func (p *process) terminate() {
	if !p.reaped.Load() {
		terminateGroup(p.pid())
	}
}

func (p *process) kill() {
	if !p.reaped.Load() {
		killGroup(p.pid())
	}
}
