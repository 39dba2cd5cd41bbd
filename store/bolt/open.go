package bolt

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

// The mark tells our files from other programs' bbolt files.
const (
	markBucket = "gatehouse"
	markKey    = "format"
	markValue  = "1"
)

// reserve is the address space mapped at once: enough that the map is hardly
// ever renewed, which would make writers wait for every reader.
const reserve = 1 << 30

// Open opens the data file at path, or makes it (mode 0600) when there is
// none. A file that is locked, empty, foreign or damaged is left as it is.
func Open(ctx context.Context, path string, o Options) (*Engine, error) {
	if o.LockTimeout <= 0 {
		o.LockTimeout = 2 * time.Second
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path, o); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("make data file %s: %w", path, err)
		}
		info, err = os.Stat(path)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("data file: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: %w: it is not a regular file", path, ErrForeign)
	}
	e := &Engine{path: path, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	if e.db, err = e.openFile(ctx, o); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	go e.own()
	return e, nil
}

func options(o Options) *bbolt.Options {
	return &bbolt.Options{
		NoFreelistSync: true, // saves a page per commit; rebuilt at open
		FreelistType:   bbolt.FreelistMapType,
		NoSync:         o.InsecureNoSync,
		NoGrowSync:     o.InsecureNoSync,
		NoStatistics:   true,
	}
}

// openFile locks, examines and opens an existing file, in this order, so that
// nothing is judged while another process writes it and nothing is written
// before it is judged.
func (e *Engine) openFile(ctx context.Context, o Options) (db *bbolt.DB, err error) {
	var file *os.File
	opt := options(o)
	opt.InitialMmapSize = reserve
	opt.OpenFile = func(name string, _ int, _ os.FileMode) (*os.File, error) {
		f, err := os.OpenFile(name, os.O_RDWR, 0) // never O_CREATE here
		if err != nil {
			return nil, err
		}
		if err = lock(ctx, f, o.LockTimeout); err == nil {
			if e.identity, err = f.Stat(); err == nil {
				e.oneRoot, err = examine(f, e.identity.Size())
			}
		}
		if err != nil {
			_ = f.Close()
			return nil, err
		}
		file = f
		return f, nil
	}
	// What examine lets through may still fault or panic inside bbolt. Then
	// the lock must go with the file (SECURITY-CASES FT6).
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			if file != nil {
				_ = file.Close()
			}
			db, err = nil, fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if db, err = bbolt.Open(e.path, 0o600, opt); err != nil {
		return nil, err
	}
	if err := checkMark(db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func checkMark(db *bbolt.DB) error {
	return db.View(func(tx *bbolt.Tx) error {
		if b := tx.Bucket([]byte(markBucket)); b == nil || string(b.Get([]byte(markKey))) != markValue {
			return fmt.Errorf("%w: another program made it", ErrForeign)
		}
		return nil
	})
}

// lock takes the exclusive lock bbolt itself uses (it then takes it again on
// the same descriptor, at once).
func lock(ctx context.Context, f *os.File, timeout time.Duration) error {
	deadline := time.Now().Add(timeout)
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		if time.Now().After(deadline) {
			return ErrLocked
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// create makes a marked, empty file under another name and then gives it its
// own: a crash in between leaves nothing at path.
func create(path string, o Options) error {
	tmp := path + ".new-" + rand.Text()
	defer func() { _ = os.Remove(tmp) }()
	db, err := bbolt.Open(tmp, 0o600, options(o))
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket([]byte(markBucket))
		if err != nil {
			return err
		}
		return b.Put([]byte(markKey), []byte(markValue))
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	return publish(tmp, path)
}

// publish gives tmp the name path unless something has it already, durably.
func publish(tmp, path string) error {
	if err := os.Link(tmp, path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
