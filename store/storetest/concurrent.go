package storetest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"gatehouse/store"
)

// together runs fn n times at once, all starting at the same moment.
func together(n int, fn func(i int)) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			fn(i)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
}

// singleUseRow: of 64 parallel redemptions of one row exactly one wins, and
// none of the others gets an engine error.
func singleUseRow(t *testing.T, e store.Engine) {
	for round := range 20 {
		row := fmt.Sprintf("row %d", round)
		put(t, e, "codes", row, "unused")
		var won, lost atomic.Int32
		together(64, func(i int) {
			err := e.Update(t.Context(), func(tx store.Tx) error {
				v, err := tx.Get("codes", []byte(row))
				if err != nil {
					return err
				}
				if string(v) != "unused" {
					return errWanted
				}
				if err := tx.Put("winners", fmt.Appendf(nil, "%s %d", row, i), nil); err != nil {
					return err
				}
				return tx.Put("codes", []byte(row), []byte("used"))
			})
			switch {
			case err == nil:
				won.Add(1)
			case errors.Is(err, errWanted):
				lost.Add(1)
			default:
				t.Errorf("unexpected error: %v", err)
			}
		})
		if won.Load() != 1 || lost.Load() != 63 {
			t.Fatalf("round %d: %d won, %d lost", round, won.Load(), lost.Load())
		}
		n := 0
		view(t, e, func(tx store.Tx) error {
			n = 0
			return tx.Scan("winners", nil, nil, func(_, _ []byte) (bool, error) { n++; return true, nil })
		})
		if n != round+1 {
			t.Fatalf("round %d: %d rows of winners", round, n)
		}
	}
}

func countersAddUp(t *testing.T, e store.Engine) {
	together(16, func(int) {
		for range 25 {
			err := e.Update(t.Context(), func(tx store.Tx) error {
				raw, err := tx.Get("b", []byte("n"))
				if err != nil {
					return err
				}
				var n uint64
				if raw != nil {
					n = binary.BigEndian.Uint64(raw)
				}
				return tx.Put("b", []byte("n"), binary.BigEndian.AppendUint64(nil, n+1))
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		}
	})
	want(t, e, "b", "n", string(binary.BigEndian.AppendUint64(nil, 16*25)))
}

// noWriteSkew: each function reads both rows and clears one only if the other
// is set; under weaker isolation both end up clear.
func noWriteSkew(t *testing.T, e store.Engine) {
	for range 50 {
		put(t, e, "b", "0", "on duty", "1", "on duty")
		together(2, func(i int) {
			err := e.Update(t.Context(), func(tx store.Tx) error {
				other, err := tx.Get("b", fmt.Append(nil, 1-i))
				if err != nil || string(other) != "on duty" {
					return err
				}
				return tx.Put("b", fmt.Append(nil, i), []byte("off"))
			})
			if err != nil {
				t.Errorf("update: %v", err)
			}
		})
		on := 0
		view(t, e, func(tx store.Tx) error {
			on = 0
			return tx.Scan("b", nil, nil, func(_, v []byte) (bool, error) {
				if string(v) == "on duty" {
					on++
				}
				return true, nil
			})
		})
		if on != 1 {
			t.Fatalf("%d on duty, want 1", on)
		}
	}
}

// failuresDoNotSpread: functions that fail or panic after writing leave no
// trace and do not harm those that share their transaction.
func failuresDoNotSpread(t *testing.T, e store.Engine) {
	const n = 96
	for round := range 5 {
		bucket := fmt.Sprintf("b%d", round)
		together(n, func(i int) {
			defer func() {
				if p := recover(); (p != nil) != (i%3 == 2) {
					t.Errorf("function %d: panic %v", i, p)
				}
			}()
			err := e.Update(t.Context(), func(tx store.Tx) error {
				for _, v := range []string{"v", "w"} { // twice: undoing in the wrong order shows
					if err := tx.Put(bucket, fmt.Appendf(nil, "%03d", i), []byte(v)); err != nil {
						return err
					}
				}
				if err := tx.Put(bucket, []byte("last"), fmt.Append(nil, i)); err != nil {
					return err
				}
				switch i % 3 {
				case 1:
					return errWanted
				case 2:
					panic(errWanted)
				}
				return nil
			})
			if (i%3 == 0 && err != nil) || (i%3 == 1 && !errors.Is(err, errWanted)) {
				t.Errorf("function %d: %v", i, err)
			}
		})
		rows := 0
		view(t, e, func(tx store.Tx) error {
			rows = 0
			return tx.Scan(bucket, nil, nil, func(k, v []byte) (bool, error) {
				rows++
				who := string(k)
				if who == "last" {
					who = string(v)
				}
				if i, err := strconv.Atoi(who); err != nil || i%3 != 0 {
					t.Errorf("row %q = %q was written by a failing function", k, v)
				}
				return true, nil
			})
		})
		if rows != n/3+1 {
			t.Errorf("%d rows, want %d", rows, n/3+1)
		}
	}
}
