package demo

import (
	"testing"
	"time"
)

func TestBounded(t *testing.T) {
	t.Parallel()
	now := time.Unix(0, 0)
	b := newBounded[int](3, time.Minute, func() time.Time { return now })
	var keys []string
	for i := range 5 {
		keys = append(keys, b.put(i))
	}
	if len(b.byKey) != 3 || b.order.Len() != 3 {
		t.Errorf("%d kept, want 3", len(b.byKey))
	}
	if _, ok := b.get(keys[1]); ok {
		t.Error("the oldest is still there")
	}
	if v, ok := b.get(keys[2]); !ok || v != 2 {
		t.Errorf("got %d %v", v, ok)
	}
	if _, ok := b.take(keys[3]); !ok {
		t.Error("not there to take")
	}
	if _, ok := b.take(keys[3]); ok {
		t.Error("taken twice")
	}
	now = now.Add(2 * time.Minute)
	if _, ok := b.get(keys[4]); ok {
		t.Error("outlived its lifetime")
	}
}
