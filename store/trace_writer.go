package store

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Traces keeps the traces of logins in rings of fixed size. Requests hand over
// what they recorded and go on; one background writer keeps it, in batches. The
// queue is bounded: what does not fit is dropped and counted.
type Traces struct {
	store    *Store
	records  *Collection[Trace]
	steps    *Collection[traceSteps]
	now      func() time.Time
	capacity int
	words    []string

	mu      sync.Mutex
	queue   []*Trace          // in order of arrival
	byWords map[string]*Trace // of the queue: entries of one login become one
	open    int               // of the queue: those without a proven person
	writing bool              // a writer is running
	closed  bool

	drain   sync.Mutex // one batch at a time
	stop    chan struct{}
	running sync.WaitGroup
	dropped atomic.Uint64
	failed  atomic.Uint64
}

func newTraces(s *Store, capacity int) *Traces {
	if capacity <= 0 {
		capacity = traceCapacity
	}
	return &Traces{
		store: s, records: s.declareTraces(), steps: s.declareTraceSteps(), now: s.now, capacity: max(capacity, 2), words: wordList(),
		byWords: map[string]*Trace{}, stop: make(chan struct{}),
	}
}

// Dropped counts what was not kept because too much came at once.
func (t *Traces) Dropped() uint64 { return t.dropped.Load() }

// Failed counts what was not kept because the store could not write.
func (t *Traces) Failed() uint64 { return t.failed.Load() }

// submit hands over what a request recorded. It never waits.
func (t *Traces) submit(e *Trace) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		t.dropped.Add(1)
		return
	}
	if waiting := t.byWords[e.Words]; waiting != nil {
		if e.Proven && !waiting.Proven {
			t.open--
		}
		waiting.add(e)
		return
	}
	// Strangers fill only their part of the queue.
	if len(t.queue) >= traceQueue || !e.Proven && t.open >= traceOpenQueue {
		t.dropped.Add(1)
		return
	}
	if !e.Proven {
		t.open++
	}
	t.queue = append(t.queue, e)
	t.byWords[e.Words] = e
	if !t.writing {
		t.writing = true
		t.running.Go(t.write)
	}
}

// write is the background writer: it lives while there is something to write
// and gathers for a moment before each batch.
func (t *Traces) write() {
	timer := time.NewTimer(traceGather)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
		case <-t.stop:
		}
		t.batch(context.Background())
		t.mu.Lock()
		if len(t.queue) == 0 {
			t.writing = false
			t.mu.Unlock()
			return
		}
		t.mu.Unlock()
		timer.Reset(traceGather)
	}
}

// batch keeps the oldest entries of the queue in one update.
func (t *Traces) batch(ctx context.Context) {
	t.drain.Lock()
	defer t.drain.Unlock()
	t.mu.Lock()
	n := min(len(t.queue), traceBatch)
	batch := t.queue[:n:n]
	t.queue = t.queue[n:]
	for _, e := range batch {
		delete(t.byWords, e.Words)
		if !e.Proven {
			t.open--
		}
	}
	if len(t.queue) == 0 {
		t.queue = nil
	}
	t.mu.Unlock()
	if n == 0 {
		return
	}
	err := t.update(ctx, batch)
	if err == nil || len(batch) == 1 || errors.Is(err, ErrUnavailable) || errors.Is(err, ErrClosed) {
		if err != nil {
			t.failed.Add(uint64(len(batch)))
		}
		return
	}
	for i := range batch { // one that cannot be kept must not take the others along
		if t.update(ctx, batch[i:i+1]) != nil {
			t.failed.Add(1)
		}
	}
}

func (t *Traces) update(ctx context.Context, entries []*Trace) error {
	return t.store.Update(ctx, func(tx Tx) error {
		var logins []ended
		for _, e := range entries {
			before, after, err := t.keep(tx, e)
			if err != nil {
				return err
			}
			if after.Outcome != before && after.Outcome != OutcomeRunning {
				logins = append(logins, ended{after.ConnectionID, after.Outcome})
			}
		}
		return t.store.countLogins(tx, logins)
	})
}

// Flush keeps what was handed over until now, for those who want to read it.
func (t *Traces) Flush(ctx context.Context) {
	t.mu.Lock()
	left := len(t.queue)
	t.mu.Unlock()
	for {
		t.batch(ctx) // waits for a batch under way, too
		if left -= traceBatch; left <= 0 || ctx.Err() != nil {
			return
		}
	}
}

// close keeps the rest and waits for the writer.
func (t *Traces) close() {
	t.mu.Lock()
	already := t.closed
	t.closed = true
	t.mu.Unlock()
	if already {
		return
	}
	close(t.stop)
	t.running.Wait()
	t.Flush(context.Background())
}
