package mockidp

import (
	"crypto/rand"
	"sync"
	"time"
)

// expiring keeps values under unguessable keys for a while. It never holds more
// than its capacity: the oldest entry makes room.
type expiring[V any] struct {
	mu    sync.Mutex
	items map[string]expiringItem[V]
	order []string // ring of keys, oldest at next
	next  int
	ttl   time.Duration
	now   func() time.Time
}

type expiringItem[V any] struct {
	value   V
	expires time.Time
}

func newExpiring[V any](capacity int, ttl time.Duration, now func() time.Time) *expiring[V] {
	return &expiring[V]{items: map[string]expiringItem[V]{}, order: make([]string, 0, min(capacity, 256)), next: -capacity, ttl: ttl, now: now}
}

// add keeps v under a fresh random key.
func (e *expiring[V]) add(v V) string {
	key := rand.Text()
	e.addKey(key, v)
	return key
}

// addKey keeps v under a given key; false when the key is already there.
func (e *expiring[V]) addKey(key string, v V) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if it, ok := e.items[key]; ok && e.now().Before(it.expires) {
		return false
	}
	if e.next < 0 { // still filling
		e.order = append(e.order, key)
		e.next++
	} else {
		delete(e.items, e.order[e.next])
		e.order[e.next] = key
		e.next = (e.next + 1) % len(e.order)
	}
	e.items[key] = expiringItem[V]{v, e.now().Add(e.ttl)}
	return true
}

func (e *expiring[V]) get(key string) (V, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	it, ok := e.items[key]
	if !ok || !e.now().Before(it.expires) {
		var none V
		return none, false
	}
	return it.value, true
}

// take is get and remove in one step: of many callers one wins.
func (e *expiring[V]) take(key string) (V, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	it, ok := e.items[key]
	delete(e.items, key)
	if !ok || !e.now().Before(it.expires) {
		var none V
		return none, false
	}
	return it.value, true
}

func (e *expiring[V]) remove(key string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.items, key)
}

// removeFunc removes every entry for which dead says so.
func (e *expiring[V]) removeFunc(dead func(V) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key, it := range e.items {
		if dead(it.value) {
			delete(e.items, key)
		}
	}
}
