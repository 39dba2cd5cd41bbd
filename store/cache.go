package store

import (
	"bytes"
	"reflect"
	"sync"
)

// cacheSize bounds the records each collection keeps decoded.
const cacheSize = 4096

// cache keeps decoded records beside the bytes they were decoded from. A hit
// needs those very bytes, just read in the caller's transaction, so it is never
// stale and never crosses transactions; it only saves verifying and decoding
// the same JSON again. What it hands out shares nothing with what it keeps.
type cache[T any] struct {
	mu      sync.Mutex
	records map[string]cached[T]
	refs    [][]int // fields of T that hold references, by reflect index
}

type cached[T any] struct {
	raw []byte
	rec T
}

func newCache[T any]() *cache[T] {
	return &cache[T]{records: map[string]cached[T]{}, refs: references(reflect.TypeFor[T](), nil)}
}

// get copies the record out if raw is what it was decoded from.
func (c *cache[T]) get(key string, raw []byte, rec *T) bool {
	c.mu.Lock()
	hit, ok := c.records[key]
	c.mu.Unlock()
	if !ok || !bytes.Equal(hit.raw, raw) {
		return false
	}
	*rec = c.clone(&hit.rec)
	return true
}

// put keeps a copy. A full cache is emptied: that costs one round of decoding
// and needs no bookkeeping on every hit.
func (c *cache[T]) put(key string, raw []byte, rec *T) {
	entry := cached[T]{raw: bytes.Clone(raw), rec: c.clone(rec)}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) >= cacheSize {
		clear(c.records)
	}
	c.records[key] = entry
}

// clone copies a record so that nothing it holds is shared.
func (c *cache[T]) clone(rec *T) T {
	out := *rec
	v := reflect.ValueOf(&out).Elem()
	for _, path := range c.refs {
		f := v.FieldByIndex(path)
		if !f.IsZero() {
			f.Set(deepCopy(f))
		}
	}
	return out
}

// opaque types are never changed in place by those who hold them: a Sealed is
// replaced as a whole, a time.Time is a value.
func opaque(t reflect.Type) bool {
	return t == reflect.TypeFor[Sealed]() || t.PkgPath() == "time"
}

// references lists the fields of a struct, at any depth of nested structs,
// that hold slices, maps or pointers.
func references(t reflect.Type, path []int) (out [][]int) {
	for i := range t.NumField() {
		f := t.Field(i)
		here := append(append([]int(nil), path...), i)
		switch {
		case opaque(f.Type):
		case f.Type.Kind() == reflect.Struct:
			out = append(out, references(f.Type, here)...)
		case holdsReferences(f.Type):
			out = append(out, here)
		}
	}
	return out
}

func holdsReferences(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface:
		return true
	case reflect.Struct:
		return !opaque(t) && len(references(t, nil)) > 0
	case reflect.Array:
		return holdsReferences(t.Elem())
	default:
		return false
	}
}

func deepCopy(v reflect.Value) reflect.Value {
	if opaque(v.Type()) {
		return v
	}
	switch v.Kind() {
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(out, v)
		if holdsReferences(v.Type().Elem()) {
			for i := range v.Len() {
				out.Index(i).Set(deepCopy(v.Index(i)))
			}
		}
		return out
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out := reflect.MakeMapWithSize(v.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), deepCopy(it.Value()))
		}
		return out
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return v
		}
		inner := deepCopy(v.Elem())
		if v.Kind() == reflect.Interface {
			return inner
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(inner)
		return out
	case reflect.Struct:
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for _, path := range references(v.Type(), nil) {
			out.FieldByIndex(path).Set(deepCopy(v.FieldByIndex(path)))
		}
		return out
	default:
		return v
	}
}
