package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

func put(key string) func(store.Tx) error {
	return func(tx store.Tx) error { return tx.Put("b", []byte(key), []byte("v")) }
}

// hold occupies the writer until release is called, so that a test decides
// what arrives meanwhile.
func hold(t *testing.T, e *bolt.Engine) (release func()) {
	t.Helper()
	started, let, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var once sync.Once
	go func() {
		defer close(done)
		if err := e.Update(context.WithoutCancel(t.Context()), func(tx store.Tx) error {
			once.Do(func() { close(started) })
			<-let
			return put("holder")(tx)
		}); err != nil {
			t.Errorf("holder: %v", err)
		}
	}()
	<-started
	return func() { close(let); <-done }
}

func TestGroupCommitSharesOneCommit(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{})
	defer closeEngine(t, e)
	release := hold(t, e)
	const n = 40
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := e.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	e.WaitForQueue(n)
	release()
	wg.Wait()
	if got := e.Stats(); got.Updates != n+1 || got.Commits != 1 {
		t.Errorf("got %d updates in %d commits, want %d in 1", got.Updates, got.Commits, n+1)
	}
}

// A lone caller's update is committed at once, one commit each.
func TestLoneCallerDoesNotWait(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	start := time.Now()
	const n = 200
	for i := range n {
		if err := e.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if got := e.Stats(); got.Commits != n {
		t.Errorf("%d commits, want %d", got.Commits, n)
	}
	// db.Batch would take 10 ms each.
	if took := time.Since(start); took > n*5*time.Millisecond {
		t.Errorf("%d updates took %v", n, took)
	}
}

func TestNothingWrittenIsNotCommitted(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{})
	defer closeEngine(t, e)
	if err := e.Update(t.Context(), put("k")); err != nil {
		t.Fatal(err)
	}
	for name, fn := range map[string]func(store.Tx) error{
		"read only":  func(tx store.Tx) error { _, err := tx.Get("b", []byte("k")); return err },
		"same value": put("k"),
		"absent key": func(tx store.Tx) error { return tx.Delete("b", []byte("none")) },
	} {
		if err := e.Update(t.Context(), fn); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := e.Stats(); got.Commits != 1 {
		t.Errorf("%d commits, want 1", got.Commits)
	}
}

func TestCancelledWhileWaitingDoesNotRun(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	release := hold(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	var ran atomic.Bool
	result := make(chan error)
	go func() { result <- e.Update(ctx, func(store.Tx) error { ran.Store(true); return nil }) }()
	e.WaitForQueue(1)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	release()
	if err := e.Update(t.Context(), put("k")); err != nil {
		t.Error(err)
	}
	if ran.Load() {
		t.Error("the function ran after its caller had gone")
	}
}

// Once its function runs, an update answers with the true outcome.
func TestCancelledWhileRunningTellsTheOutcome(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	ctx, cancel := context.WithCancel(t.Context())
	if err := e.Update(ctx, func(tx store.Tx) error { cancel(); return put("k")(tx) }); err != nil {
		t.Errorf("got %v, but it is committed", err)
	}
}

// t.FailNow in an update function ends that test, not the engine.
func TestGoexitInAFunction(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	release := hold(t, e)
	var wg sync.WaitGroup
	exited := true
	wg.Go(func() {
		_ = e.Update(t.Context(), func(tx store.Tx) error {
			if err := put("from the dead")(tx); err != nil {
				t.Error(err)
			}
			t.SkipNow()
			return nil
		})
		exited = false
	})
	e.WaitForQueue(1)
	for i := range 5 {
		wg.Go(func() {
			if err := e.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	e.WaitForQueue(6)
	release()
	wg.Wait()
	if !exited {
		t.Error("the caller went on")
	}
	n := 0
	if err := e.View(t.Context(), func(tx store.Tx) error {
		if got, err := tx.Get("b", []byte("from the dead")); got != nil || err != nil {
			t.Errorf("its write stayed: %q, %v", got, err)
		}
		return tx.Scan("b", nil, nil, func(_, _ []byte) (bool, error) { n++; return true, nil })
	}); err != nil || n != 6 {
		t.Errorf("%d rows, %v, want 6", n, err)
	}
}

func TestCloseFinishesWhatWasAccepted(t *testing.T) {
	t.Parallel()
	p := path(t)
	e := open(t, p, bolt.Options{InsecureNoSync: true})
	release := hold(t, e)
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := e.Update(t.Context(), put(fmt.Sprint(i))); err != nil {
				t.Errorf("update: %v", err)
			}
		})
	}
	e.WaitForQueue(10)
	wg.Go(func() { closeEngine(t, e) })
	release()
	wg.Wait()
	e = open(t, p, bolt.Options{})
	defer closeEngine(t, e)
	n := 0
	if err := e.View(t.Context(), func(tx store.Tx) error {
		return tx.Scan("b", nil, nil, func(_, _ []byte) (bool, error) { n++; return true, nil })
	}); err != nil || n != 11 {
		t.Errorf("%d rows, %v, want 11", n, err)
	}
}

// TestFT7_ReplacedFileIsNotWritten: a file that was moved away takes no more
// writes, because a second process may have made a new one in its place.
func TestFT7_ReplacedFileIsNotWritten(t *testing.T) {
	t.Parallel()
	p := path(t)
	e := open(t, p, bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	if err := e.Update(t.Context(), put("before")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(p, p+".old"); err != nil {
		t.Fatal(err)
	}
	if err := e.Update(t.Context(), put("moved")); !errors.Is(err, bolt.ErrReplaced) || !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("moved: got %v", err)
	}
	second := open(t, p, bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, second)
	if err := e.Update(t.Context(), put("replaced")); !errors.Is(err, bolt.ErrReplaced) {
		t.Errorf("replaced: got %v", err)
	}
	if err := e.View(t.Context(), func(tx store.Tx) error {
		got, err := tx.Get("b", []byte("before"))
		if got == nil {
			t.Error("reading must go on")
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}

func closeEngine(t testing.TB, e *bolt.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
