package supervise

import (
	"context"
	"errors"
	"os"
	"runtime"
	"sync"
	"time"
)

// A Pool keeps a number of workers running: processes of one program that share a listening socket.
//
// A worker that ends is started again, after a pause that grows while it keeps ending: 100 ms at first, doubled up to
// 10 s, and 100 ms again once a process has lived 10 s. Each process leads a process group of its own, so that a
// terminal's Ctrl-C reaches the supervisor alone; what it leaves behind in that group is killed when it ends. On Linux
// and FreeBSD the kernel kills the workers when the supervisor dies, whatever it dies of.
//
// Start reads the fields; they must not change after it.
type Pool struct {
	Command []string // the program, looked up as the exec package does at every start, and its arguments
	Env     []string // its environment; nil means this process's own
	Workers int      // how many run at once; 0 means 1

	// Socket is what the workers get as file descriptor 0: the File of a Socket, or another in blocking mode.
	// Applications expect that, and it is one state for all that share the socket. It stays the caller's to close,
	// after Shutdown.
	Socket *os.File

	// Notify learns what happens to the workers, one event at a time, and holds them up until it returns. It may not
	// wait for Start or Shutdown. nil means that nobody wants to know.
	Notify func(Event)

	notifying sync.Mutex
	keepers   sync.WaitGroup

	// Set by Start.
	running context.Context // until Shutdown
	stop    context.CancelFunc

	// Guarded by mu.
	mu   sync.Mutex
	live map[*process]struct{} // nothing is added after stop
}

// Start starts every worker. When one cannot be started, it ends those that could and returns why: an *exec.Error
// when there is no such program, an *os.PathError when the system would not run it.
func (p *Pool) Start() error {
	p.running, p.stop = context.WithCancel(context.Background())
	p.live = make(map[*process]struct{})
	for worker := range max(p.Workers, 1) {
		started := make(chan error, 1)
		p.keepers.Go(func() { p.keep(worker+1, started) })
		if err := <-started; err != nil {
			atOnce, cancel := context.WithCancel(context.Background())
			cancel()
			p.Shutdown(atOnce)
			return err
		}
	}
	return nil
}

// Shutdown asks the workers to end, with SIGTERM to their groups, and waits until they have. When ctx is done before
// that, it kills them and returns the context's error; a context that is done already kills them at once. In either
// case nothing of the pool runs any more when Shutdown returns. The pool must have been started.
func (p *Pool) Shutdown(ctx context.Context) error {
	p.signalAll((*process).terminate)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.keepers.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		p.signalAll((*process).kill)
		<-ended
		return ctx.Err()
	}
}

// signalAll signals every live process, and sees to it that there will be no others.
func (p *Pool) signalAll(signal func(*process)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	for proc := range p.live {
		signal(proc)
	}
}

// keep is the goroutine of one worker: it starts a process, waits for its end and starts the next, until Shutdown.
// started learns how the first start went; keep gives up if it failed.
func (p *Pool) keep(worker int, started chan<- error) {
	// The kernel's promise to kill the child when its parent dies is about the thread that started it, not about the
	// process. Locked, this one lives at least as long as the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	proc, err := p.launch(worker)
	started <- err
	if err != nil {
		return
	}
	var pause backoff
	for {
		ended := Event{Kind: Ended, Worker: worker, Err: err}
		var lived time.Duration
		if proc != nil {
			ended.PID, lived, ended.Err = p.attend(worker, proc)
		}
		if p.running.Err() == nil {
			ended.Restart = pause.after(lived)
		}
		p.notify(ended)
		if !p.sleep(ended.Restart) {
			return
		}
		if proc, err = p.launch(worker); errors.Is(err, context.Canceled) {
			return
		}
	}
}

// launch starts a process, unless the pool was shut down.
func (p *Pool) launch(worker int) (*process, error) {
	proc, err := p.startLive()
	if err == nil {
		p.notify(Event{Kind: Started, Worker: worker, PID: proc.pid()})
	}
	return proc, err
}

// startLive starts a process that signalAll knows of. The lock covers both, so that Shutdown misses none.
func (p *Pool) startLive() (*process, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.running.Err(); err != nil {
		return nil, err
	}
	proc, err := start(p.Command, p.Env, p.Socket)
	if err != nil {
		return nil, err
	}
	p.live[proc] = struct{}{}
	return proc, nil
}

// attend passes on what a process writes, until it ends.
func (p *Pool) attend(worker int, proc *process) (pid int, lived time.Duration, err error) {
	began := time.Now()
	err = proc.wait(func(line string) {
		p.notify(Event{Kind: Wrote, Worker: worker, PID: proc.pid(), Line: line})
	})
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.live, proc)
	return proc.pid(), time.Since(began), err
}

// sleep waits, and reports whether the pool still runs then.
func (p *Pool) sleep(d time.Duration) bool {
	select {
	case <-time.After(d):
	case <-p.running.Done():
	}
	return p.running.Err() == nil
}

func (p *Pool) notify(ev Event) {
	if p.Notify == nil {
		return
	}
	p.notifying.Lock()
	defer p.notifying.Unlock()
	p.Notify(ev)
}
