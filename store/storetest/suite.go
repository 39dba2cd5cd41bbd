package storetest

import (
	"testing"

	"gatehouse/store"
)

// Run proves that an engine keeps the contract of store.Engine and that the
// collections hold their invariants on it. open returns an empty engine; the
// suite closes it.
func Run(t *testing.T, open func(t testing.TB) store.Engine) {
	for name, test := range map[string]func(*testing.T, store.Engine){
		"AbsentBucket":           absentBucket,
		"ReadYourWrites":         readYourWrites,
		"KeyBounds":              keyBounds,
		"CallersSlicesStayTheir": callersSlices,
		"ErrorUndoesEverything":  errorUndoes,
		"PanicReachesCaller":     panicReachesCaller,
		"ViewIsReadOnly":         viewIsReadOnly,
		"ViewIsASnapshot":        viewIsASnapshot,
		"EndedTransaction":       endedTransaction,
		"CancelledBeforeStart":   cancelledBeforeStart,
		"Closed":                 closed,
		"ScanRanges":             scanRanges,
		"ScanStops":              scanStops,
		"ScanNested":             scanNested,

		"SingleUseRow":        singleUseRow,
		"CountersAddUp":       countersAddUp,
		"NoWriteSkew":         noWriteSkew,
		"FailuresDoNotSpread": failuresDoNotSpread,

		"EngineModel":        engineModel,
		"CollectionModel":    collectionModel,
		"FailedWriteIsWhole": failedWriteIsWhole,
		"PagingWhileWriting": pagingWhileWriting,
		"SweepKeepsPromises": sweepKeepsPromises,
		"UpdateRunsTwice":    updateRunsTwice,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := open(t)
			t.Cleanup(func() {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			})
			test(t, e)
		})
	}
}

// update and view fail the test on an error.
func update(t testing.TB, e store.Engine, fn func(store.Tx) error) {
	t.Helper()
	if err := e.Update(t.Context(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

func view(t testing.TB, e store.Engine, fn func(store.Tx) error) {
	t.Helper()
	if err := e.View(t.Context(), fn); err != nil {
		t.Fatalf("view: %v", err)
	}
}

func put(t testing.TB, e store.Engine, bucket string, pairs ...string) {
	t.Helper()
	update(t, e, func(tx store.Tx) error {
		for i := 0; i < len(pairs); i += 2 {
			if err := tx.Put(bucket, []byte(pairs[i]), []byte(pairs[i+1])); err != nil {
				return err
			}
		}
		return nil
	})
}

// want checks a bucket's whole content, given as key, value, key, value…
func want(t testing.TB, e store.Engine, bucket string, pairs ...string) {
	t.Helper()
	var got []string
	view(t, e, func(tx store.Tx) error {
		got = nil
		return tx.Scan(bucket, nil, nil, func(k, v []byte) (bool, error) {
			got = append(got, string(k), string(v))
			return true, nil
		})
	})
	if !equal(got, pairs) {
		t.Errorf("bucket %s: got %q, want %q", bucket, got, pairs)
	}
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
