package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// signalDebounce is how soon after the first signal another one is taken for the same. A wrapper that passes on the Ctrl-C which
// the terminal has sent to all its children makes two of one; nobody presses it twice that fast.
const signalDebounce = 100 * time.Millisecond

// StopRequests are the two ways in which serve is asked to end.
type stopRequests struct {
	drain   context.Context // done on the first signal: finish what is under way
	atOnce  context.Context // done on the second
	release func()          // gives the signals back
}

// watchSignals turns signals into stopRequests. When ctx is done, that counts as the first signal.
func watchSignals(ctx context.Context) stopRequests {
	drain, startDraining := context.WithCancel(ctx)
	atOnce, stopAtOnce := context.WithCancel(context.WithoutCancel(ctx))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, stopSignals()...)

	var watching sync.WaitGroup
	watching.Go(func() {
		var first time.Time
		for range signals {
			switch {
			case first.IsZero():
				first = time.Now()
				startDraining()
			case time.Since(first) > signalDebounce:
				stopAtOnce()
			}
		}
	})
	return stopRequests{drain, atOnce, func() {
		signal.Stop(signals)
		close(signals)
		watching.Wait()
		startDraining()
		stopAtOnce()
	}}
}

// stopSignals are those that ask serve to end. The hangup of a closed terminal is one of them, but not under nohup,
// which had it ignored.
func stopSignals() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}
