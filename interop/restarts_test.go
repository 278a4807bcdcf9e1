//go:build unix

package interop_test

import (
	"cmp"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/interop"
)

// A restartSetup is a web server with a printed configuration in front of an application that is restarted.
type restartSetup struct {
	server *webServer
	config string
	tcp    bool
	around string
}

var restartSetups = []restartSetup{
	{server: nginx, config: "production.conf"},
	{server: haproxy, config: "production.cfg"},
	{server: haproxy, config: "minimal.cfg", tcp: true},
	{server: apache, config: "production.conf", around: apacheLoad},
	{server: apache, config: "tcp.conf", tcp: true, around: apacheLoad},
}

// site runs an application with one kind of handlers behind the web server.
func (su restartSetup) site(t *testing.T, probe, mode string) *site {
	t.Helper()
	p := newPlace(t)
	addr := "unix:" + p.socket
	if su.tcp {
		addr = "tcp:" + p.tcp
	}
	app := application{program: probe, args: []string{"-mode", mode}, mode: mode}
	return su.server.withApplication(t, p, app, su.config, addr, su.around)
}

// The size of what is measured: that of docs/servers.md where the results are kept, else one that takes a moment.
type restartSize struct{ restarts, requests, streams int }

func measured() bool { return os.Getenv(restartsFile) != "" }

func sizeOfRestarts() restartSize {
	if measured() {
		return restartSize{restarts: 50, requests: 100_000, streams: 1000}
	}
	return restartSize{restarts: 2, requests: 1000, streams: 50}
}

// restartClients is how many clients ask, each for the next thing as soon as it has its answer.
const restartClients = 32

// W23: an application is restarted again and again under load, and no request is lost, not even a POST.
func TestW23RestartsUnderLoad(t *testing.T) {
	probe := buildProbe(t)
	methods := []string{http.MethodPost} // the scenario of this name has GET
	if measured() {
		methods = []string{http.MethodGet, http.MethodPost}
	}
	for _, su := range restartSetups {
		for _, method := range methods {
			t.Run(su.server.name+"/"+su.config+"/"+method, func(t *testing.T) {
				su.server.find(t)
				if !measured() {
					t.Parallel()
				}
				su.restartUnderLoad(t, probe, method, sizeOfRestarts())
			})
		}
	}
}

func (su restartSetup) restartUnderLoad(t *testing.T, probe, method string, size restartSize) {
	s := su.site(t, probe, "http")
	o := newOutcome()
	// At these requests the application is restarted: in the middle of equal parts.
	restarts, part := make(chan int, size.restarts), int64(size.requests/size.restarts)
	var sent atomic.Int64
	var clients sync.WaitGroup
	for range restartClients {
		clients.Go(func() {
			v := &visitor{addr: s.addr}
			defer v.leave()
			for i := sent.Add(1); i <= int64(size.requests); i = sent.Add(1) {
				if i%part == part/2 {
					restarts <- int(i)
				}
				e := errandNumber(s, method, int(i))
				begin := time.Now()
				a, err := v.ask(e.request(t))
				o.add(begin, a, err, e.want)
			}
		})
	}
	for range size.restarts {
		<-restarts
		// A process that has just been started has to be there, lest the signal end it.
		o.awaitNew(t, func() bool { return sent.Load() >= int64(size.requests) })
		o.restart(t, s)
	}
	clients.Wait()
	// nginx sends a GET again, and complains.
	if log := s.place.read(t, "error.log"); su.server == nginx && strings.Contains(log, "[error]") {
		t.Errorf("nginx had to send requests again, or takes something amiss")
	}
	r := su.result(t, s, o)
	r.Mode, r.Method, r.Clients, r.Requests, r.Restarts = "http", method, restartClients, size.requests, size.restarts
	finishRestarts(t, o, r)
}

// W19: an application whose handlers know that the server shuts down is restarted while many streams are open. They end
// in order, and do not keep others waiting.
func TestW19RestartWithStreams(t *testing.T) {
	probe := buildProbe(t)
	nginx.find(t)
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			if !measured() {
				t.Parallel()
			}
			restartWithStreams(t, probe, mode, sizeOfRestarts())
		})
	}
}

func restartWithStreams(t *testing.T, probe, mode string, size restartSize) {
	p := newPlace(t)
	restart := application{program: probe, args: []string{"-mode", mode}}.listen(t, "unix:"+p.socket)
	writeCertificate(t, p)
	su := restartSetup{server: nginx, config: "complete.conf"}
	s := nginx.run(t, p, su.config, "ssl_protocols TLSv1.2 TLSv1.3;")
	s.restart = restart

	orderly := make(chan bool, size.streams)
	for range size.streams {
		s.openEvents(t, orderly)
	}
	o := newOutcome()
	over := make(chan struct{})
	var clients sync.WaitGroup
	const askers = 8
	for range askers {
		clients.Go(func() {
			for {
				select {
				case <-over:
					return
				default:
				}
				e := errandNumber(s, http.MethodGet, 1)
				begin := time.Now()
				a, err := s.try(e.request(t))
				o.add(begin, a, err, e.want)
			}
		})
	}
	o.awaitSome(t)
	o.restart(t, s)
	o.awaitSome(t)
	close(over)
	clients.Wait()

	r := su.result(t, s, o)
	r.Mode, r.Method, r.Clients, r.Requests, r.Restarts, r.Streams = mode, http.MethodGet, askers, o.answered(), 1, size.streams
	for range size.streams {
		select {
		case is := <-orderly:
			if is {
				r.Orderly++
			}
		case <-time.After(patience):
			t.Fatal("a stream goes on")
		}
	}
	if r.Orderly < r.Streams {
		t.Errorf("of %d streams %d ended in order", r.Streams, r.Orderly)
	}
	if limit := 1.0; measured() && r.Longest > limit {
		t.Errorf("a request waited for %.2f s, more than %.0f s", r.Longest, limit)
	}
	finishRestarts(t, o, r)
}

// result returns what an outcome comes to, without what was done.
func (su restartSetup) result(t *testing.T, s *site, o *restartOutcome) interop.RestartRun {
	return interop.RestartRun{
		Page: s.server.name, Column: cmp.Or(s.server.title, s.server.name), Version: s.server.version(t), Config: su.config,
		Failures: o.failures, Longest: o.longest.Seconds(), Ended: o.ended.Seconds(),
		Date: time.Now().UTC().Format(time.DateOnly), Go: runtime.Version(), CPUs: runtime.NumCPU(),
	}
}

// finishRestarts records a result, and fails the test for what was lost.
func finishRestarts(t *testing.T, o *restartOutcome, r interop.RestartRun) {
	t.Logf("%+v", r)
	for _, l := range o.losses {
		t.Log(l)
	}
	if r.Failed() > 0 {
		t.Errorf("%d of %d requests failed: %v", r.Failed(), r.Requests, r.Failures)
	}
	record(t, restartsFile, r)
}
