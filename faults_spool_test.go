package fastcgi_test

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

// idlers are servers of either kind whose requests with a parameter IDLE wait for the test, and read nothing; the others
// are echoed.
var idlers = []struct {
	name string
	make func(chan<- *held) *fastcgi.Server
}{
	{"sync", func(requests chan<- *held) *fastcgi.Server {
		idle := holding(requests)
		return &fastcgi.Server{Handler: fastcgi.HandlerFunc(func(w fastcgi.ResponseWriter, r *fastcgi.Request) {
			if r.Params.Get("IDLE") != "" {
				idle.ServeFastCGI(w, r)
				return
			}
			echoSync(w, r)
		})}
	}},
	{"async", func(requests chan<- *held) *fastcgi.Server {
		idle := holdingAsync(requests)
		return &fastcgi.Server{AsyncHandler: fastcgi.AsyncHandlerFunc(func(ex fastcgi.Exchange) {
			if ex.Params().Get("IDLE") != "" {
				idle.ServeAsync(ex)
				return
			}
			echoAsync(ex)
		})}
	}},
}

func eachIdler(t *testing.T, test func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server)) {
	everywhere(t, func(t *testing.T, p place) {
		for _, i := range idlers {
			t.Run(i.name, func(t *testing.T) {
				requests := make(chan *held, 10)
				test(t, p, requests, i.make(requests))
			})
		}
	})
}

// receiveAll takes the first n requests, whose handlers begin in any order.
func receiveAll(t *testing.T, requests chan *held, n int) map[uint16]*held {
	t.Helper()
	running := map[uint16]*held{}
	for range n {
		h := receive(t, requests)
		if ex, ok := h.w.(fastcgi.Exchange); ok {
			running[ex.ID()] = h
		} else {
			running[h.r.ID] = h
		}
	}
	return running
}

// F12: a disk that fails ends the request whose input should have gone there, and nothing else.
func TestF12DiskFails(t *testing.T) {
	for _, fault := range []struct {
		name string
		dir  func(t *testing.T) string
		want string
	}{
		{"missing", func(t *testing.T) string { return t.TempDir() + "/missing" }, "no such file or directory"},
		{"no directory", aFile, "not a directory"},
		{"full", smallDisk, "no space left on device"},
	} {
		t.Run(fault.name, func(t *testing.T) {
			dir := fault.dir(t)
			eachIdler(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
				srv.SpoolDir = dir
				a := p.serve(t, srv)
				w := a.dial(t)
				w.send(start(1, true, "IDLE", "1"), start(2, true))
				offender := receive(t, requests)
				w.send(stdin(2, "bo"))
				for range 4 {
					w.send(stdin(1, strings.Repeat("x", 50000)))
				}
				w.answer(1).expectStatus(t, 507)
				w.send(stdin(1, "rest"), stdinEnd(1), stdin(2, "dy"), stdinEnd(2))
				w.answer(2).expect(t, echoed(fastcgi.Params{}, "body"))
				w.ask(1).expect(t, echoed(fastcgi.Params{}, ""))
				a.log.expect(t, "request ended", "cannot spool input", fault.want, "request=1")
				a.expectNothingLeft(t, dir)
				if offender.r != nil && !strings.Contains(context.Cause(offender.r.Context()).Error(), fault.want) {
					t.Errorf("the cause is %v", context.Cause(offender.r.Context()))
				}
				offender.finish()
			})
		})
	}
}

// expectNothingLeft wants the input of one request to have been thrown away, from memory and disk.
func (a *app) expectNothingLeft(t *testing.T, dir string) {
	t.Helper()
	eventually(t, "the spool is empty", func() bool { return a.Stats().SpooledBytes == 0 })
	if s := a.Stats(); s.Overflowed != 1 || s.BufferedBytes != 0 {
		t.Errorf("the counters are %+v", s)
	}
	if files, _ := filepath.Glob(dir + "/*"); files != nil {
		t.Errorf("there are files left: %v", files)
	}
}

func aFile(t *testing.T) string {
	path := t.TempDir() + "/file"
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// smallDisk mounts a file system of 64 KiB.
func smallDisk(t *testing.T) string {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", dir).CombinedOutput(); err != nil {
		required.Missing(t, "only root on Linux can mount a small file system: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	return dir
}

// F12, SpoolLimit: one below, at, and one above. What is on disk has no name, so that not even SIGKILL leaves any.
func TestF12SpoolLimit(t *testing.T) {
	const buffer, limit = 1000, 5000
	for _, off := range []int{-1, 0, 1} {
		t.Run(strconv.Itoa(off), func(t *testing.T) {
			eachIdler(t, func(t *testing.T, p place, requests chan *held, srv *fastcgi.Server) {
				srv.StdinBuffer, srv.SpoolLimit, srv.SpoolDir = buffer, limit, t.TempDir()
				a := p.serve(t, srv)
				w := a.dial(t)
				body := strings.Repeat("x", buffer+limit+off)
				w.send(start(1, true, "IDLE", "1"), start(2, true, "IDLE", "2"))
				running := receiveAll(t, requests, 2)
				w.send(stdin(1, body[:buffer]))
				w.send(stdin(1, body[buffer:]))
				if off > 0 {
					w.answer(1).expectStatus(t, 507)
					a.log.expect(t, fastcgi.ErrSpoolFull.Error(), "request=1")
				} else {
					eventually(t, "all input is there", func() bool { return a.Stats().SpooledBytes == int64(limit+off) })
					if files, err := os.ReadDir(srv.SpoolDir); err != nil || len(files) != 0 {
						t.Errorf("there are files: %v, %v", files, err)
					}
				}
				w.send(stdinEnd(2)) // or a Handler would wait for it
				running[2].finish()
				w.answer(2).expectUnanswered(t)
				if off <= 0 {
					w.send(stdinEnd(1))
				}
				running[1].finish()
				if off > 0 {
					a.expectNothingLeft(t, srv.SpoolDir)
					return
				}
				w.answer(1).expectUnanswered(t)
				eventually(t, "the spool is empty", func() bool { return a.Stats().SpooledBytes == 0 })
				if s := a.Stats(); s.Overflowed != 0 {
					t.Errorf("the counters are %+v", s)
				}
			})
		})
	}
}

// SpoolLimit: below zero nothing goes to disk.
func TestNoSpool(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 2)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), SpoolLimit: -1, SpoolDir: "/nowhere"})
		w := a.dial(t)
		w.send(start(1, true), start(2, true))
		for range 2 {
			defer receive(t, requests).finish()
		}
		w.send(stdin(1, strings.Repeat("x", 65535)), stdin(1, "x"))
		w.send(stdin(1, "x")) // the first that begins beyond the buffer
		w.answer(1).expectStatus(t, 507)
		a.log.expect(t, fastcgi.ErrSpoolFull.Error())
	})
}

// What was on disk is read in its order, between what was in memory and what came later.
func TestSpooledInputIsRead(t *testing.T) {
	everywhere(t, func(t *testing.T, p place) {
		requests := make(chan *held, 2)
		a := p.serve(t, &fastcgi.Server{Handler: holding(requests), StdinBuffer: 100, SpoolDir: t.TempDir()})
		w := a.dial(t)
		w.send(start(1, true), start(2, true))
		running := receiveAll(t, requests, 2)
		first := running[1]
		var body strings.Builder
		for i := range 1000 {
			piece := strconv.Itoa(i) + " "
			body.WriteString(piece)
			w.send(stdin(1, piece))
		}
		eventually(t, "all input is there", func() bool {
			s := a.Stats()
			return s.SpooledBytes > 0 && s.SpooledBytes+s.BufferedBytes == int64(body.Len())
		})
		part := make([]byte, 1000)
		if _, err := io.ReadFull(first.r, part); err != nil {
			t.Error(err)
		}
		w.send(stdin(1, "last"), stdinEnd(1), stdinEnd(2))
		rest, err := io.ReadAll(first.r)
		if got := string(part) + string(rest); err != nil || got != body.String()+"last" {
			t.Errorf("the body is %q, %v", clip(got), err)
		}
		if n := a.Stats().SpooledBytes; n != 0 {
			t.Errorf("%d bytes are still on disk", n)
		}
		first.finish()
		running[2].finish()
		w.answer(1)
		w.answer(2)
	})
}
