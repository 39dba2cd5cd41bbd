package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// TestFT3_DiskFull: when the file cannot grow, updates fail with
// ErrUnavailable, what was there stays readable, and writing works again as
// soon as there is room, without a restart. A file size limit of a child
// process stands for the full disk.
func TestFT3_DiskFull(t *testing.T) {
	t.Parallel()
	p := path(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childMode+"=full", childFile+"="+p)
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	e := open(t, p, bolt.Options{})
	defer closeEngine(t, e)
	if err := e.View(t.Context(), func(tx store.Tx) error {
		for _, key := range []string{"first", "after"} {
			if got, err := tx.Get("b", []byte(key)); got == nil || err != nil {
				t.Errorf("%s: %q, %v", key, got, err)
			}
		}
		if got, err := tx.Get("b", []byte("refused")); got != nil || err != nil {
			t.Errorf("a refused update is there: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func fillTheDisk(path string) error {
	ctx := context.Background()
	e, err := bolt.Open(ctx, path, bolt.Options{})
	if err != nil {
		return err
	}
	large := make([]byte, 1<<20)
	if err := e.Update(ctx, put("first")); err != nil {
		return err
	}
	var room unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 256 << 10, Max: room.Max}); err != nil {
		return err
	}
	for range 3 {
		err := e.Update(ctx, func(tx store.Tx) error { return tx.Put("b", []byte("refused"), large) })
		if !errors.Is(err, store.ErrUnavailable) {
			return fmt.Errorf("full: got %w", err)
		}
		if err := e.View(ctx, func(tx store.Tx) error {
			if got, err := tx.Get("b", []byte("first")); got == nil || err != nil {
				return fmt.Errorf("reading stopped: %q, %w", got, err)
			}
			if got, err := tx.Get("b", []byte("refused")); got != nil || err != nil {
				return fmt.Errorf("the refused update is visible: %w", err)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &room); err != nil {
		return err
	}
	if err := e.Update(ctx, func(tx store.Tx) error {
		return errors.Join(put("after")(tx), tx.Put("b", []byte("large"), large))
	}); err != nil {
		return fmt.Errorf("room again: %w", err)
	}
	return e.Close()
}
