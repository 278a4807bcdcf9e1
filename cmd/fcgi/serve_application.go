package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/simple-fastcgi/fastcgi/client"
	"github.com/simple-fastcgi/fastcgi/internal/supervise"
)

// workerGrace is how long a worker may take to end once its requests are finished.
const workerGrace = 5 * time.Second

// An application is the FastCGI side of serve: the workers and the socket they share.
type application struct {
	name   string            // as it was typed
	socket *supervise.Socket // private, since whoever can connect can claim to be any visitor
	pool   supervise.Pool
	client *client.Client // made by connect
	log    *journal

	answered atomic.Bool // await is over: from now on, workers that end are replaced
	spoke    atomic.Bool // it wrote something
	died     chan error  // learns how a worker ended before that
}

// startApplication starts the workers.
func startApplication(o *serveOptions, log *journal) (*application, error) {
	socket, err := supervise.Listen()
	if err != nil {
		return nil, socketFailure(err)
	}
	a := &application{name: o.command[0], socket: socket, log: log, died: make(chan error, 1)}
	a.pool = supervise.Pool{
		Command: o.command,
		Env:     workerEnvironment(os.Environ()),
		Workers: o.workers,
		Socket:  socket.File,
		Notify:  a.notify,
	}
	if err := a.pool.Start(); err != nil {
		socket.Close()
		return nil, startFailure(o.command[0], err)
	}
	return a, nil
}

func (a *application) address() string { return "unix:" + a.socket.Path() }

// workerEnvironment is serve's own without what is about other sockets than the one the workers get: the list of web
// servers to believe, in which the Unix socket is not, and systemd's.
func workerEnvironment(environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return slices.Contains([]string{"FCGI_WEB_SERVER_ADDRS", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PID"}, name)
	})
}

// notify is called by the pool, for one event at a time.
func (a *application) notify(ev supervise.Event) {
	switch {
	case ev.Kind == supervise.Started:
		a.log.started(ev)
	case ev.Kind == supervise.Wrote:
		a.spoke.Store(true)
		a.log.output(ev)
	case !a.answered.Load():
		select {
		case a.died <- exitFailure(a.name, ev.Err, a.spoke.Load()):
		default: // another one died first
		}
	case ev.Restart > 0:
		a.log.ended(ev)
	}
}

// await waits until the application answers, or would if it answered such questions, or ctx is done. The error is that
// a worker ended instead.
func (a *application) await(ctx context.Context) (capabilities, error) {
	asking, cancel := context.WithCancel(ctx)
	defer cancel()
	answer := make(chan capabilities, 1)
	go func() { answer <- ask(asking, a.address()) }()
	select {
	case caps := <-answer:
		a.answered.Store(true)
		return caps, nil
	case err := <-a.died:
		cancel()
		<-answer
		return capabilities{}, err
	}
}

// connect makes the client that requests go through.
func (a *application) connect(caps capabilities) *client.Client {
	a.client = caps.client(a.address(), a.pool.Workers)
	return a.client
}

// stop ends the workers, and reports whether they needed no force. When ctx is done, they get no time.
func (a *application) stop(ctx context.Context) bool {
	a.disconnect()
	grace, cancel := context.WithTimeout(ctx, workerGrace)
	defer cancel()
	return a.pool.Shutdown(grace) == nil
}

// disconnect comes before the end of the workers: some wait with that until nobody is connected.
func (a *application) disconnect() {
	if a.client != nil {
		a.client.Close()
	}
}

// close ends what is left of the workers at once.
func (a *application) close() {
	a.disconnect()
	atOnce, cancel := context.WithCancel(context.Background())
	cancel()
	a.pool.Shutdown(atOnce)
	a.socket.Close()
}
