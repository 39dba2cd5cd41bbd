package bolt

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"gatehouse/store"
)

// maxBatch bounds how many functions share one transaction, and so how long
// the first of them waits for the commit.
const maxBatch = 256

// States of a job: whoever moves it away from waiting owns its outcome.
const (
	jobWaiting int32 = iota
	jobTaken
	jobAbandoned
)

// job is one call of Update.
type job struct {
	ctx   context.Context
	fn    func(store.Tx) error
	state atomic.Int32
	done  chan struct{}

	// Written by the owner goroutine before done is closed.
	err    error
	wrote  bool
	panics any    // what fn panicked with
	stack  []byte // where
	exited bool   // fn called runtime.Goexit (t.FailNow does)
}

// Panic is what Update panics with when fn panicked: the value, and the stack
// of the goroutine it happened on.
type Panic struct {
	Value any
	Stack []byte
}

// Error implements error, so that a recovering handler can log it.
func (p *Panic) Error() string { return fmt.Sprintf("%v\n\n%s", p.Value, p.Stack) }

// Update runs fn in the next transaction and returns when it is on the disk.
// ctx counts until fn starts. A panic of fn reaches the caller of Update.
func (e *Engine) Update(ctx context.Context, fn func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	j := &job{ctx: ctx, fn: fn, done: make(chan struct{})}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return store.ErrClosed
	}
	e.pending = append(e.pending, j)
	e.mu.Unlock()
	e.signal()

	select {
	case <-j.done:
	case <-ctx.Done():
		if j.state.CompareAndSwap(jobWaiting, jobAbandoned) {
			return ctx.Err()
		}
		<-j.done // it has started: the answer must be the true outcome
	}
	if j.panics != nil {
		panic(&Panic{Value: j.panics, Stack: j.stack})
	}
	if j.exited {
		runtime.Goexit()
	}
	return j.err
}

func (e *Engine) signal() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// next returns a waiting job, or nil.
func (e *Engine) next() *job {
	e.mu.Lock()
	defer e.mu.Unlock()
	for len(e.pending) > 0 {
		j := e.pending[0]
		e.pending[0] = nil
		e.pending = e.pending[1:]
		if j.state.CompareAndSwap(jobWaiting, jobTaken) {
			return j
		}
	}
	e.pending = nil
	return nil
}

// own is the owner goroutine: the only one that writes.
func (e *Engine) own() {
	var batch []*job
	defer func() {
		// Only fn's runtime.Goexit leads here early: hand the work on.
		e.mu.Lock()
		finished := e.closed && len(e.pending) == 0 && len(batch) == 0
		e.mu.Unlock()
		if finished {
			close(e.stopped)
			return
		}
		go e.own()
	}()
	for {
		j := e.next()
		if j == nil {
			e.mu.Lock()
			finished := e.closed && len(e.pending) == 0
			e.mu.Unlock()
			if finished {
				return
			}
			<-e.wake
			continue
		}
		batch = append(batch[:0], j)
		e.commit(&batch)
		for i := range batch {
			batch[i] = nil
		}
		batch = batch[:0]
	}
}

// commit runs the batch, and what arrives while it runs, in one transaction.
// On return every job of it has its answer.
func (e *Engine) commit(batch *[]*job) {
	if err := e.writable(); err != nil {
		e.finish(*batch, err)
		return
	}
	b, err := e.db.Begin(true)
	if err != nil {
		e.finish(*batch, fmt.Errorf("%w: %w", store.ErrUnavailable, closedOr(err)))
		return
	}
	wrote := false
	for i := 0; i < len(*batch); i++ {
		j := (*batch)[i]
		e.run(b, j, *batch, i)
		if j.panics != nil {
			// Where bbolt stands is unknown: start over without this one.
			_ = b.Rollback()
			e.rerun(*batch, i)
			return
		}
		wrote = wrote || j.wrote
		if i == len(*batch)-1 && len(*batch) < maxBatch {
			if more := e.next(); more != nil {
				*batch = append(*batch, more)
			}
		}
	}
	if !wrote {
		_ = b.Rollback()
		e.finish(*batch, nil)
		return
	}
	id := b.ID()
	if err := b.Commit(); err != nil {
		if e.rootWritten(id) {
			e.broken = fmt.Errorf("%w: a commit failed half way (%w); restart to recover", store.ErrUnavailable, err)
		}
		e.finish(*batch, fmt.Errorf("%w: %w", store.ErrUnavailable, err))
		return
	}
	e.commits.Add(1)
	e.finish(*batch, nil)
}

// rerun answers the job at i and runs the others of the batch again.
func (e *Engine) rerun(batch []*job, i int) {
	close(batch[i].done)
	rest := make([]*job, 0, len(batch)-1)
	for k, j := range batch {
		if k != i {
			j.err, j.wrote = nil, false
			rest = append(rest, j)
		}
	}
	if len(rest) > 0 {
		e.commit(&rest)
	}
}

// run calls one function; when it fails its writes are undone.
func (e *Engine) run(b *bbolt.Tx, j *job, batch []*job, i int) {
	if j.err = j.ctx.Err(); j.err != nil {
		return
	}
	t := &tx{b: b, writable: true}
	returned := false
	defer func() {
		t.b = nil
		if returned {
			return
		}
		if j.panics = recover(); j.panics != nil {
			j.stack = debug.Stack()
			return
		}
		// runtime.Goexit cannot be stopped here: finish the others first.
		j.exited = true
		_ = b.Rollback()
		e.rerun(batch, i)
	}()
	j.err = j.fn(t)
	returned = true
	if j.err != nil {
		if err := t.rollback(); err != nil {
			panic(err) // handled as a panic of fn: the transaction is dropped
		}
		return
	}
	j.wrote = len(t.undo) > 0
}

// finish answers every job; a commit error overrules success, not failure.
func (e *Engine) finish(batch []*job, err error) {
	for _, j := range batch {
		if j.err == nil {
			if j.err = err; err == nil && j.wrote {
				e.updates.Add(1)
			}
		}
		close(j.done)
	}
}

// writable refuses to commit into a file that the path no longer names, and
// after a commit whose outcome on the disk is unknown.
func (e *Engine) writable() error {
	if e.broken != nil {
		return e.broken
	}
	info, err := os.Stat(e.path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	}
	if err != nil || !os.SameFile(info, e.identity) {
		return fmt.Errorf("%w: %w", store.ErrUnavailable, ErrReplaced)
	}
	return nil
}

// rootWritten reports whether a failed transaction's root page is already
// visible: then only the final sync failed, and going on would build on sand.
func (e *Engine) rootWritten(id int) bool {
	b, err := e.db.Begin(false)
	if err != nil {
		return true
	}
	defer func() { _ = b.Rollback() }()
	return b.ID() >= id
}
