package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"gatehouse/store"
	"gatehouse/store/bolt"
)

// filled makes a data file of some hundred pages and returns its bytes.
func filled(t testing.TB, p string) []byte {
	t.Helper()
	e := open(t, p, bolt.Options{InsecureNoSync: true})
	for round := range 20 {
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			for i := range 100 {
				key := fmt.Appendf(nil, "%d-%d", i*7919%100, round)
				if err := tx.Put(fmt.Sprintf("bucket %d", i%5), key, bytes.Repeat(key, 40)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	closeEngine(t, e)
	data, err := os.ReadFile(p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestNewFileIsForItsOwnerOnly(t *testing.T) {
	t.Parallel()
	p := path(t)
	closeEngine(t, open(t, p, bolt.Options{}))
	info, err := os.Stat(p)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	names, err := os.ReadDir(filepath.Dir(p))
	if err != nil || len(names) != 1 {
		t.Errorf("left behind: %v, %v", names, err)
	}
	closeEngine(t, open(t, p, bolt.Options{})) // and opens again
}

// TestFT6_UnusableFilesStayAsTheyAre: empty, foreign, cut and altered files
// each stop with their error and one sentence, are not written to, and are
// let go, so that the same process can open the repaired file.
func TestFT6_UnusableFilesStayAsTheyAre(t *testing.T) {
	t.Parallel()
	p := path(t)
	good := filled(t, p)
	foreign := filepath.Join(t.TempDir(), "other.db")
	db, err := bbolt.Open(foreign, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(func(tx *bbolt.Tx) error { _, err := tx.CreateBucket([]byte("theirs")); return err }), db.Close()); err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	size := os.Getpagesize()
	with := func(at int, b ...byte) []byte {
		c := bytes.Clone(good)
		copy(c[at:], b)
		return c
	}
	cases := map[string]struct {
		data []byte
		want error
	}{
		"empty":               {nil, bolt.ErrForeign},
		"one byte":            {[]byte{0}, bolt.ErrForeign},
		"text":                {[]byte(strings.Repeat("these are not the pages\n", 4000)), bolt.ErrForeign},
		"zeros":               {make([]byte, 1<<20), bolt.ErrForeign},
		"another bbolt file":  {other, bolt.ErrForeign},
		"half a page":         {good[:size/2], bolt.ErrDamaged},
		"two pages":           {good[:2*size], bolt.ErrDamaged},
		"half":                {good[:len(good)/2], bolt.ErrDamaged},
		"a page short":        {good[:lastPage(good)], bolt.ErrDamaged},
		"zeroed after header": {append(bytes.Clone(good[:2*size]), make([]byte, len(good)-2*size)...), bolt.ErrDamaged},
		"both headers gone":   {with(0, make([]byte, 2*size)...), bolt.ErrForeign},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := path(t)
			if err := os.WriteFile(p, c.data, 0o600); err != nil {
				t.Fatal(err)
			}
			e, err := bolt.Open(t.Context(), p, bolt.Options{})
			if err == nil {
				closeEngine(t, e)
			}
			if !errors.Is(err, c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v, want %v in one line", err, c.want)
			}
			after, err := os.ReadFile(p)
			if err != nil || !bytes.Equal(after, c.data) {
				t.Error("the file was written to")
			}
			if err := os.WriteFile(p, good, 0o600); err != nil {
				t.Fatal(err)
			}
			closeEngine(t, open(t, p, bolt.Options{}))
		})
	}
}

// lastPage cuts the file below its last page in use (bbolt reserves ahead).
func lastPage(data []byte) int {
	n := len(data)
	for bolt.ExamineBytes(data[:n]) == nil {
		n -= os.Getpagesize()
	}
	return n
}

// TestDB2_DamagedRootIsReported: bbolt falls back to the previous commit when
// the newest root page is unreadable; the operator must hear of it.
func TestDB2_DamagedRootIsReported(t *testing.T) {
	t.Parallel()
	p := path(t)
	good := filled(t, p)
	for page := range 2 {
		c := bytes.Clone(good)
		c[page*os.Getpagesize()+40] ^= 1
		if err := os.WriteFile(p, c, 0o600); err != nil {
			t.Fatal(err)
		}
		e := open(t, p, bolt.Options{})
		if !e.Stats().OneRoot {
			t.Errorf("damage of root page %d was not reported", page)
		}
		closeEngine(t, e)
	}
	if err := os.WriteFile(p, good, 0o600); err != nil {
		t.Fatal(err)
	}
	e := open(t, p, bolt.Options{})
	defer closeEngine(t, e)
	if e.Stats().OneRoot {
		t.Error("reported for a sound file")
	}
}

func TestNotARegularFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, pipe} {
		if _, err := bolt.Open(t.Context(), p, bolt.Options{}); !errors.Is(err, bolt.ErrForeign) {
			t.Errorf("%s: got %v", p, err)
		}
	}
	if _, err := bolt.Open(t.Context(), filepath.Join(dir, "no", "such", "folder.db"), bolt.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: got %v", err)
	}
}

// TestFT7_SecondProcessGivesUp: the second opener, in this or in another
// process, stops within its timeout and leaves the first one alone.
func TestFT7_SecondProcessGivesUp(t *testing.T) {
	t.Parallel()
	p := path(t)
	e := open(t, p, bolt.Options{})
	start := time.Now()
	_, err := bolt.Open(t.Context(), p, bolt.Options{LockTimeout: 50 * time.Millisecond})
	if !errors.Is(err, bolt.ErrLocked) || time.Since(start) > 2*time.Second {
		t.Errorf("same process: got %v after %v", err, time.Since(start))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := bolt.Open(ctx, p, bolt.Options{LockTimeout: time.Minute}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), childMode+"=open", childFile+"="+p)
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), bolt.ErrLocked.Error()) {
		t.Errorf("other process: %v, %s", err, out)
	}
	if err := e.Update(t.Context(), put("k")); err != nil {
		t.Errorf("first process: %v", err)
	}
	closeEngine(t, e)
	closeEngine(t, open(t, p, bolt.Options{LockTimeout: time.Millisecond}))
}

// TestFT25_BackupUnderLoad: a backup taken while others write is a consistent
// snapshot that opens as a data file; so is a compacted copy.
func TestFT25_BackupUnderLoad(t *testing.T) {
	t.Parallel()
	e := open(t, path(t), bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() { // both rows always carry the same value
		defer close(stopped)
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			value := bytes.Repeat(fmt.Append(nil, i), 500)
			if err := e.Update(context.WithoutCancel(t.Context()), func(tx store.Tx) error {
				return errors.Join(tx.Put("b", []byte("one"), value), tx.Put("c", []byte("two"), value))
			}); err != nil {
				t.Errorf("writer: %v", err)
				return
			}
		}
	}()
	for e.Stats().Updates == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 20 {
		backup, compact := path(t), path(t)
		f, err := os.OpenFile(backup, os.O_WRONLY|os.O_CREATE, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(e.Backup(t.Context(), f), f.Close()); err != nil {
			t.Fatal(err)
		}
		if err := e.Compact(t.Context(), compact); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{backup, compact} {
			restored := open(t, p, bolt.Options{})
			if err := restored.View(t.Context(), func(tx store.Tx) error {
				one, err1 := tx.Get("b", []byte("one"))
				two, err2 := tx.Get("c", []byte("two"))
				if one == nil || !bytes.Equal(one, two) {
					t.Error("the copy is not one moment")
				}
				return errors.Join(err1, err2)
			}); err != nil {
				t.Fatal(err)
			}
			closeEngine(t, restored)
		}
	}
	close(stop)
	<-stopped
}

func TestFT19_CompactShrinksAndNeverReplaces(t *testing.T) {
	t.Parallel()
	p := path(t)
	e := open(t, p, bolt.Options{InsecureNoSync: true})
	defer closeEngine(t, e)
	const n = 3000
	fill := func(fn func(store.Tx, []byte) error) {
		t.Helper()
		if err := e.Update(t.Context(), func(tx store.Tx) error {
			for i := range n {
				if err := fn(tx, fmt.Append(nil, i)); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	fill(func(tx store.Tx, k []byte) error { return tx.Put("b", k, bytes.Repeat(k, 100)) })
	fill(func(tx store.Tx, k []byte) error {
		if len(k) < 4 || k[0] == '1' {
			return nil
		}
		return tx.Delete("b", k)
	})
	dst := path(t)
	if err := e.Compact(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	if err := e.Compact(t.Context(), dst); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a file: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Compact(ctx, path(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v", err)
	}
	before, err1 := os.Stat(p)
	after, err2 := os.Stat(dst)
	if err := errors.Join(err1, err2); err != nil || after.Size() >= before.Size() || after.Mode().Perm() != 0o600 {
		t.Errorf("%d bytes became %d, mode %v, %v", before.Size(), after.Size(), after.Mode(), err)
	}
}
