package demo

import (
	"container/list"
	"crypto/rand"
	"sync"
	"time"
)

// bounded is a map with a fixed number of places and a lifetime. When it is
// full the oldest entry makes room, so strangers cannot fill the memory.
type bounded[T any] struct {
	mu       sync.Mutex
	size     int
	lifetime time.Duration
	now      func() time.Time
	byKey    map[string]*list.Element
	order    *list.List // oldest first
}

type entry[T any] struct {
	key   string
	value T
	until time.Time
}

func newBounded[T any](size int, lifetime time.Duration, now func() time.Time) *bounded[T] {
	return &bounded[T]{size: size, lifetime: lifetime, now: now, byKey: make(map[string]*list.Element), order: list.New()}
}

// put keeps value under a new random key and returns the key.
func (b *bounded[T]) put(value T) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.order.Len() >= b.size {
		b.remove(b.order.Front())
	}
	e := entry[T]{key: rand.Text(), value: value, until: b.now().Add(b.lifetime)}
	b.byKey[e.key] = b.order.PushBack(e)
	return e.key
}

// get returns the value while it lives.
func (b *bounded[T]) get(key string) (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live(key)
}

// take returns the value and forgets it: of two takers one wins.
func (b *bounded[T]) take(key string) (T, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	value, ok := b.live(key)
	if ok {
		b.remove(b.byKey[key])
	}
	return value, ok
}

func (b *bounded[T]) live(key string) (T, bool) {
	var none T
	element, ok := b.byKey[key]
	if !ok {
		return none, false
	}
	e := element.Value.(entry[T])
	if b.now().After(e.until) {
		b.remove(element)
		return none, false
	}
	return e.value, true
}

func (b *bounded[T]) remove(element *list.Element) {
	delete(b.byKey, b.order.Remove(element).(entry[T]).key)
}
