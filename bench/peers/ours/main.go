// Command ours serves the benchmark's tasks with this library, in each mode and
// with each driver.
//
//	ours -mode async -driver loop -listen unix:/tmp/s -task bytes 65536
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"time"

	"github.com/simple-fastcgi/fastcgi"
	"github.com/simple-fastcgi/fastcgi/bench/peers/webhandler"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("ours: ")
	listen := flag.String("listen", "", "where to listen: unix:/path, host:port, or another address that fastcgi.Listen takes")
	mode := flag.String("mode", "sync", "kind of handler: sync, async or http")
	driver := flag.String("driver", "auto", "what moves the bytes: auto, goroutine or loop")
	task := flag.String("task", "hello", "what to do with requests: hello, bytes, digest, count, wait or mixed")
	flag.Parse()
	size, err := webhandler.Size(flag.Args())
	if err != nil {
		log.Fatal(err)
	}

	srv := &fastcgi.Server{
		Addr:   *listen,
		Driver: fastcgi.Driver(*driver),
		// As many as the widest multiplexing that is measured.
		MaxRequestsPerConn: 256,
		// What is measured is memory and time, not how long the benchmark
		// takes to prepare it.
		IdleTimeout: time.Hour,
	}
	if err := setHandler(srv, *mode, *task, size); err != nil {
		log.Fatal(err)
	}
	if err := srv.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func setHandler(srv *fastcgi.Server, mode, task string, size int) error {
	switch mode {
	case "sync":
		h, ok := syncHandlers(size)[task]
		if !ok {
			return unknown(task)
		}
		srv.Handler = h
	case "async":
		h, ok := asyncHandlers(size)[task]
		if !ok {
			return unknown(task)
		}
		srv.AsyncHandler = h
	case "http":
		h, err := webhandler.New(task, size)
		if err != nil {
			return err
		}
		srv.Handler = fastcgi.HTTP(h)
	default:
		return fmt.Errorf("-mode %q: choose sync, async or http", mode)
	}
	return nil
}

func unknown(task string) error {
	return fmt.Errorf("-task %q: choose hello, bytes, digest, count, wait or mixed", task)
}
