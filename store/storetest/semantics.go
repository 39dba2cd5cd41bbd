package storetest

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"gatehouse/store"
)

var errWanted = errors.New("storetest: wanted failure")

func absentBucket(t *testing.T, e store.Engine) {
	update(t, e, func(tx store.Tx) error {
		if v, err := tx.Get("none", []byte("k")); v != nil || err != nil {
			t.Errorf("get: %q, %v", v, err)
		}
		return tx.Delete("none", []byte("k"))
	})
	want(t, e, "none")
}

func readYourWrites(t *testing.T, e store.Engine) {
	update(t, e, func(tx store.Tx) error {
		for _, step := range []struct {
			value []byte
			want  string
		}{{[]byte("one"), "one"}, {[]byte("two"), "two"}, {nil, ""}, {[]byte{}, ""}} {
			if err := tx.Put("b", []byte("k"), step.value); err != nil {
				return err
			}
			got, err := tx.Get("b", []byte("k"))
			if err != nil || got == nil || string(got) != step.want {
				t.Errorf("after put %q: got %q (nil %t), %v", step.value, got, got == nil, err)
			}
		}
		return nil
	})
	view(t, e, func(tx store.Tx) error {
		if got, err := tx.Get("b", []byte("k")); err != nil || got == nil || len(got) != 0 {
			t.Errorf("an empty value must be there: got %q (nil %t), %v", got, got == nil, err)
		}
		return nil
	})
	update(t, e, func(tx store.Tx) error {
		if err := tx.Delete("b", []byte("k")); err != nil {
			return err
		}
		if got, err := tx.Get("b", []byte("k")); err != nil || got != nil {
			t.Errorf("after delete: got %q, %v", got, err)
		}
		return nil
	})
	want(t, e, "b")
}

func keyBounds(t *testing.T, e store.Engine) {
	longest := bytes.Repeat([]byte("k"), store.MaxKey)
	update(t, e, func(tx store.Tx) error {
		for _, key := range [][]byte{nil, {}, append(bytes.Clone(longest), 'k')} {
			if err := tx.Put("b", key, []byte("v")); !errors.Is(err, store.ErrKey) {
				t.Errorf("key of %d bytes: got %v, want ErrKey", len(key), err)
			}
		}
		if err := tx.Put("", []byte("k"), nil); !errors.Is(err, store.ErrKey) {
			t.Errorf("no bucket: got %v, want ErrKey", err)
		}
		return tx.Put("b", longest, []byte("v")) // the transaction goes on
	})
	want(t, e, "b", string(longest), "v")
}

func callersSlices(t *testing.T, e store.Engine) {
	update(t, e, func(tx store.Tx) error {
		key, value := []byte("k1"), []byte("v1")
		if err := tx.Put("b", key, value); err != nil {
			return err
		}
		key[1], value[1] = '2', '2'
		return tx.Put("b", key, value)
	})
	want(t, e, "b", "k1", "v1", "k2", "v2")
}

func errorUndoes(t *testing.T, e store.Engine) {
	put(t, e, "b", "changed", "1", "deleted", "1", "kept", "1")
	err := e.Update(t.Context(), func(tx store.Tx) error {
		for _, v := range []string{"2", "3"} {
			for _, k := range []string{"changed", "new", "deleted"} {
				if err := tx.Put("b", []byte(k), []byte(v)); err != nil {
					return err
				}
				if err := tx.Delete("b", []byte("deleted")); err != nil {
					return err
				}
			}
		}
		if err := tx.Put("new bucket", []byte("k"), []byte("v")); err != nil {
			return err
		}
		return errWanted
	})
	if !errors.Is(err, errWanted) {
		t.Errorf("got %v, want the function's error", err)
	}
	want(t, e, "b", "changed", "1", "deleted", "1", "kept", "1")
	want(t, e, "new bucket")
}

func panicReachesCaller(t *testing.T, e store.Engine) {
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not reach the caller")
			}
		}()
		_ = e.Update(t.Context(), func(tx store.Tx) error {
			if err := tx.Put("b", []byte("k"), []byte("v")); err != nil {
				return err
			}
			panic("wanted")
		})
	}()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic of a view did not reach the caller")
			}
		}()
		_ = e.View(t.Context(), func(store.Tx) error { panic("wanted") })
	}()
	want(t, e, "b")
	put(t, e, "b", "after", "1")
	want(t, e, "b", "after", "1")
}

func viewIsReadOnly(t *testing.T, e store.Engine) {
	put(t, e, "b", "k", "v")
	view(t, e, func(tx store.Tx) error {
		if tx.Put("b", []byte("k2"), []byte("v")) == nil {
			t.Error("put in a view")
		}
		return nil
	})
	view(t, e, func(tx store.Tx) error {
		if tx.Delete("b", []byte("k")) == nil {
			t.Error("delete in a view")
		}
		return nil
	})
	want(t, e, "b", "k", "v")
}

func viewIsASnapshot(t *testing.T, e store.Engine) {
	put(t, e, "b", "k", "old")
	view(t, e, func(tx store.Tx) error {
		if _, err := tx.Get("b", []byte("k")); err != nil { // the snapshot exists from here at the latest
			return err
		}
		put(t, e, "b", "k", "new", "k2", "new")
		got, err := tx.Get("b", []byte("k"))
		if err != nil || string(got) != "old" {
			t.Errorf("got %q, %v, want the value at the start", got, err)
		}
		got, err = tx.Get("b", []byte("k2"))
		if err != nil || got != nil {
			t.Errorf("got %q, %v, want no row from later", got, err)
		}
		return nil
	})
	want(t, e, "b", "k", "new", "k2", "new")
}

func endedTransaction(t *testing.T, e store.Engine) {
	var kept store.Tx
	update(t, e, func(tx store.Tx) error { kept = tx; return tx.Put("b", []byte("k"), []byte("v")) })
	if _, err := kept.Get("b", []byte("k")); err == nil {
		t.Error("get after the end of an update")
	}
	if err := kept.Put("b", []byte("k"), []byte("w")); err == nil {
		t.Error("put after the end of an update")
	}
	view(t, e, func(tx store.Tx) error { kept = tx; return nil })
	if err := kept.Scan("b", nil, nil, func(_, _ []byte) (bool, error) { return true, nil }); err == nil {
		t.Error("scan after the end of a view")
	}
	want(t, e, "b", "k", "v")
}

func cancelledBeforeStart(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func(context.Context, func(store.Tx) error) error{"update": e.Update, "view": e.View} {
		if err := run(ctx, func(store.Tx) error { t.Errorf("%s ran", name); return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func closed(t *testing.T, e store.Engine) {
	put(t, e, "b", "k", "v")
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	nothing := func(store.Tx) error { t.Error("ran on a closed engine"); return nil }
	if err := e.Update(t.Context(), nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: got %v", err)
	}
	if err := e.View(t.Context(), nothing); !errors.Is(err, store.ErrClosed) {
		t.Errorf("view: got %v", err)
	}
	if err := e.Backup(t.Context(), new(bytes.Buffer)); !errors.Is(err, store.ErrClosed) {
		t.Errorf("backup: got %v", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func scanRanges(t *testing.T, e store.Engine) {
	keys := []string{"\x00", "a", "a\x00", "a\xff", "b", "\xff", "\xff\xff"}
	for _, k := range []int{4, 0, 6, 2, 5, 1, 3} { // not in order
		put(t, e, "b", keys[k], "v")
	}
	for name, c := range map[string]struct {
		from, to []byte
		want     []string
	}{
		"all":               {nil, nil, keys},
		"from there":        {[]byte("a\x00"), nil, keys[2:]},
		"from between":      {[]byte("a\x01"), nil, keys[3:]},
		"to is not in it":   {nil, []byte("b"), keys[:4]},
		"prefix a":          {[]byte("a"), []byte("b"), keys[1:4]},
		"strictly after a":  {[]byte("a\x00"), []byte("b"), keys[2:4]},
		"one key":           {[]byte("a"), []byte("a\x00"), keys[1:2]},
		"empty range":       {[]byte("a"), []byte("a"), nil},
		"backwards":         {[]byte("b"), []byte("a"), nil},
		"after the end":     {[]byte("\xff\xff\xff"), nil, nil},
		"empty to is first": {nil, []byte{}, nil},
	} {
		var got []string
		view(t, e, func(tx store.Tx) error {
			got = nil
			return tx.Scan("b", c.from, c.to, func(k, _ []byte) (bool, error) {
				got = append(got, string(k))
				return true, nil
			})
		})
		if !equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func scanStops(t *testing.T, e store.Engine) {
	put(t, e, "b", "1", "v", "2", "v", "3", "v")
	view(t, e, func(tx store.Tx) error {
		n := 0
		if err := tx.Scan("b", nil, nil, func(_, _ []byte) (bool, error) { n++; return n < 2, nil }); err != nil {
			return err
		}
		if n != 2 {
			t.Errorf("called %d times after false", n)
		}
		n = 0
		err := tx.Scan("b", nil, nil, func(_, _ []byte) (bool, error) { n++; return true, errWanted })
		if n != 1 || !errors.Is(err, errWanted) {
			t.Errorf("called %d times, error %v", n, err)
		}
		return nil
	})
}

func scanNested(t *testing.T, e store.Engine) {
	put(t, e, "b", "1", "v", "2", "v")
	update(t, e, func(tx store.Tx) error {
		n := 0
		err := tx.Scan("b", nil, nil, func(k, _ []byte) (bool, error) {
			key := bytes.Clone(k)
			if err := tx.Put("other", key, key); err != nil {
				return false, err
			}
			if tx.Put("b", key, []byte("w")) == nil || tx.Delete("b", key) == nil {
				t.Error("a write to the bucket being scanned was taken")
			}
			return true, tx.Scan("b", nil, nil, func(inner, _ []byte) (bool, error) {
				n++
				_, err := tx.Get("other", inner)
				return true, err
			})
		})
		if n != 4 {
			t.Errorf("inner scan saw %d keys, want 4", n)
		}
		if err != nil {
			return err
		}
		return tx.Put("b", []byte("3"), []byte("v")) // afterwards it is allowed
	})
	want(t, e, "b", "1", "v", "2", "v", "3", "v")
	want(t, e, "other", "1", "1", "2", "2")
}
