//go:build linux

package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/simple-fastcgi/fastcgi/bench/harness"
)

// mostConns is how many connections there are at once, at most.
const mostConns = 10_000

// idle measures what connections that wait for their next request take.
func idle(b *bench, _ work, s *subject) (figures, error) {
	n := mostConns
	if b.quick {
		n = 50
	}
	l := b.load(s, shape{keep: true, share: 1})
	var conns []exchanger
	for range n {
		conns = append(conns, l.worker())
	}
	defer closeAll(conns)
	exchange := func() error { return each(conns, exchanger.exchange) }
	// That all are still there shows in that all answer again.
	return held(b, s, n, exchange, exchange)
}

// waiting measures what requests take that their handlers hold.
func waiting(b *bench, _ work, s *subject) (figures, error) {
	n := s.waits
	if b.quick {
		n /= 100
	}
	l := b.load(s, shape{keep: true, share: 1})
	conns, err := l.holders(n/s.abreast, s.abreast)
	defer closeAll(conns)
	if err != nil {
		return figures{}, err
	}
	return held(b, s, n, func() error {
		if err := each(conns, exchanger.send); err != nil {
			return err
		}
		return l.await(n)
	}, func() error {
		if _, err := l.ask("release", harness.Want{Text: helloText}); err != nil {
			return err
		}
		return each(conns, exchanger.receive)
	})
}

// held compares the memory of a server before and after it was made to hold n of
// something, and then has verify see that it does.
func held(b *bench, s *subject, n int, hold, verify func() error) (figures, error) {
	if err := b.warm(s); err != nil {
		return figures{}, err
	}
	before, err := s.server.Memory("status", "VmRSS:")
	if err != nil {
		return figures{}, err
	}
	if err := hold(); err != nil {
		return figures{}, err
	}
	after, err := s.server.Memory("status", "VmRSS:")
	if err != nil {
		return figures{}, err
	}
	if err := verify(); err != nil {
		return figures{}, err
	}
	peak, err := s.server.Peak()
	return figures{Requests: n, Each: max(0, after-before) / int64(n), Peak: peak}, err
}

// warm has the server do what it does only once.
func (b *bench) warm(s *subject) error {
	l := b.load(s, shape{share: 1})
	for range 100 {
		if s.do == "wait" {
			if _, err := l.ask("waiting", harness.Want{}); err != nil {
				return err
			}
			continue
		}
		w := l.worker()
		err := w.exchange()
		w.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// An exchanger is a connection that asks and verifies the answers.
type exchanger interface {
	send() error
	receive() error
	exchange() error
	close()
}

// holders are connections with so many requests on each.
func (l *load) holders(conns, streams int) (all []exchanger, err error) {
	for range conns {
		if streams == 1 {
			all = append(all, l.worker())
			continue
		}
		m, err := newMux(l, streams)
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
	return all, nil
}

func each(all []exchanger, do func(exchanger) error) error {
	for i, e := range all {
		if err := do(e); err != nil {
			return fmt.Errorf("connection %d of %d: %w", i+1, len(all), err)
		}
	}
	return nil
}

func closeAll(all []exchanger) {
	for _, e := range all {
		e.close()
	}
}

// ask asks something on a connection of its own.
func (l *load) ask(query string, answer harness.Want) (string, error) {
	one := *l
	one.question.query, one.question.keep, one.want = query, false, answer
	w := one.worker()
	defer w.close()
	err := w.exchange()
	return w.answer.Said(), err
}

// await returns when the handlers have n requests.
func (l *load) await(n int) error {
	said := ""
	for range int(roundTimeout / (50 * time.Millisecond)) {
		var err error
		if said, err = l.ask("waiting", harness.Want{}); err != nil {
			return err
		}
		have, err := strconv.Atoi(said)
		switch {
		case err != nil:
			return errors.New("wrong answer: how many requests wait is " + said)
		case have == n:
			return nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("only %s of %d requests reached their handlers", said, n)
}
