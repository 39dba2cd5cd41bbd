package notify

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// queue bounds what is sent at once, in all and to one receiver. That nobody
// sends the same thing twice is not its business but that of the claims.
type queue struct {
	all, each int

	mu   sync.Mutex
	sum  int
	busy map[string]int // by receiver
	next time.Time      // no look at the whole queue before
}

func newQueue(all, each int) *queue {
	return &queue{all: all, each: each, busy: map[string]int{}}
}

// run sends things to one receiver, one after the other in as many lines as
// there are places. A line ends when work says that the receiver is not well;
// what is left over stays in the store for a later look.
func (q *queue) run(ctx context.Context, sending *sync.WaitGroup, log *slog.Logger, receiver string, ids []string, work func(context.Context, string) bool) {
	line := make(chan string, len(ids))
	for _, id := range ids {
		line <- id
	}
	close(line)
	stopped := new(atomic.Bool)
	for range min(q.each, len(ids)) {
		if !q.take(receiver) {
			return
		}
		sending.Go(func() {
			defer q.give(receiver)
			defer func() {
				if p := recover(); p != nil { // a fault here must not end the process that people sign in at
					log.Error("sending a notice failed in an unforeseen way", "panic", p)
				}
			}()
			for id := range line {
				if ctx.Err() != nil || stopped.Load() {
					return
				}
				if !work(ctx, id) {
					stopped.Store(true)
				}
			}
		})
	}
}

// take reserves a place.
func (q *queue) take(receiver string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.sum >= q.all || q.busy[receiver] >= q.each {
		return false
	}
	q.sum++
	q.busy[receiver]++
	return true
}

func (q *queue) give(receiver string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sum--
	if q.busy[receiver]--; q.busy[receiver] <= 0 {
		delete(q.busy, receiver)
	}
}

// due reports whether the whole queue should be looked through now. rest and
// hold set when: a long queue is looked through less often, so that a receiver
// that is down for a day costs a small share of one processor.
func (q *queue) due(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return !now.Before(q.next)
}

func (q *queue) rest(now time.Time, length int) {
	q.hold(now.Add(time.Duration(length) * time.Millisecond))
}

// hold keeps the whole queue back until then.
func (q *queue) hold(until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if until.After(q.next) {
		q.next = until
	}
}
