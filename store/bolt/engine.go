package bolt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bberrors "go.etcd.io/bbolt/errors"

	"gatehouse/store"
)

// Errors of this engine. Each text is one sentence for the operator.
var (
	// ErrLocked: another process holds the file.
	ErrLocked = errors.New("the data file is in use by another process")
	// ErrForeign: the file is empty or was not made by Gatehouse.
	ErrForeign = errors.New("the file is not a Gatehouse data file")
	// ErrDamaged: the file was made by Gatehouse but is cut short or altered.
	ErrDamaged = errors.New("the data file is damaged")
	// ErrReplaced: the path no longer leads to the file this process opened,
	// so that a second writer may have opened another one (SECURITY-CASES FT7).
	ErrReplaced = errors.New("the data file was moved or replaced while in use")
)

// Options of Open. The zero value is right for production.
type Options struct {
	// LockTimeout is how long to wait for another process to let go of the
	// file; 0 means 2 s.
	LockTimeout time.Duration
	// InsecureNoSync acknowledges writes before they are on the disk. For
	// tests that do not measure or prove durability.
	InsecureNoSync bool
}

// Stats counts since Open.
type Stats struct {
	// Updates that were acknowledged after changing something.
	Updates uint64
	// Commits to the disk that they shared. Each costs two fdatasync calls
	// (pages, then the root that makes them count).
	Commits uint64
	// Bytes of the file.
	Bytes int64
	// OneRoot: at Open only one of the file's two root pages was readable, so
	// the last commit before that may be gone. The operator should know.
	OneRoot bool
}

// Engine implements store.Engine.
type Engine struct {
	db       *bbolt.DB
	path     string
	identity os.FileInfo // of the opened file
	oneRoot  bool

	mu      sync.Mutex // guards pending and closed
	pending []*job
	closed  bool
	wake    chan struct{} // capacity 1: pending or closed changed
	stopped chan struct{} // closed when the owner goroutine has ended

	broken           error // owner goroutine only: no further commit is safe
	updates, commits atomic.Uint64
}

var _ store.Engine = (*Engine)(nil)

// View runs fn on a consistent snapshot; writing in fn is an error.
func (e *Engine) View(ctx context.Context, fn func(store.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b, err := e.db.Begin(false)
	if err != nil {
		return closedOr(err)
	}
	t := &tx{b: b}
	defer func() {
		t.b = nil
		_ = b.Rollback() // a read transaction has nothing to lose
	}()
	return fn(t)
}

// Backup writes a consistent snapshot of the whole file to w. Updates go on
// meanwhile; the file may grow while a slow w holds the snapshot.
func (e *Engine) Backup(ctx context.Context, w io.Writer) error {
	b, err := e.db.Begin(false)
	if err != nil {
		return closedOr(err)
	}
	defer func() { _ = b.Rollback() }()
	if _, err := b.WriteTo(writerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return w.Write(p)
	})); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// Stats returns the counters.
func (e *Engine) Stats() Stats {
	s := Stats{Updates: e.updates.Load(), Commits: e.commits.Load(), OneRoot: e.oneRoot}
	if info, err := os.Stat(e.path); err == nil {
		s.Bytes = info.Size()
	}
	return s
}

// Path is where the file is.
func (e *Engine) Path() string { return e.path }

// Close finishes the updates that were accepted, waits for readers, ends the
// owner goroutine and lets go of the file. A second Close does nothing.
func (e *Engine) Close() error {
	e.mu.Lock()
	already := e.closed
	e.closed = true
	e.mu.Unlock()
	e.signal()
	<-e.stopped
	if already {
		return nil
	}
	return e.db.Close()
}

func closedOr(err error) error {
	if errors.Is(err, bberrors.ErrDatabaseNotOpen) {
		return store.ErrClosed
	}
	return err
}
