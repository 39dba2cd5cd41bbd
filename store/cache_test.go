package store

import (
	"reflect"
	"testing"
)

// What the cache hands out shares no memory with what it keeps, for every kind
// of record: fill one with references, change everything in the copy, compare.
func TestCacheSharesNothing(t *testing.T) {
	t.Parallel()
	unshared(t, cloneOrganization)
	unshared(t, cloneDomain)
	unshared(t, cloneConnection)
	unshared(t, cloneClient)
	unshared(t, cloneUser)
	unshared(t, cloneIdentity)
	unshared(t, cloneMembership)
	unshared(t, cloneGrant)
}

func unshared[T any](t *testing.T, clone func(T) T) {
	t.Helper()
	var rec, want T // want shares nothing with rec
	fill(reflect.ValueOf(&rec).Elem())
	fill(reflect.ValueOf(&want).Elem())
	c := newCache[T]()
	c.put("k", []byte("raw"), &rec)
	if c.get("k", []byte("raw")) != &rec {
		t.Fatalf("%T: not kept", rec)
	}
	first, second := clone(rec), clone(rec) // as Collection.Copy
	if !reflect.DeepEqual(first, want) {
		t.Errorf("%T: the copy differs", rec)
	}
	spoil(reflect.ValueOf(&first).Elem())
	if !reflect.DeepEqual(second, want) {
		t.Errorf("%T: changing one copy changed another", rec)
	}
	if !reflect.DeepEqual(rec, want) {
		t.Errorf("%T: changing a copy changed the cache", rec)
	}
	if c.get("k", []byte("other")) != nil {
		t.Errorf("%T: a hit with other bytes", rec)
	}
}

// fill gives every slice, map and pointer something to hold.
func fill(v reflect.Value) {
	if opaque(v.Type()) || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(value)
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.String:
		v.SetString("filled")
	default:
	}
}

// spoil changes everything reachable in place.
func spoil(v reflect.Value) {
	if opaque(v.Type()) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if it.Value().Kind() == reflect.Slice {
				spoil(it.Value())
			}
		}
		v.Clear()
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.String:
		if v.CanSet() {
			v.SetString("spoiled")
		}
	default:
	}
}

// opaque types are never changed in place by those who hold them.
func opaque(t reflect.Type) bool {
	return t == reflect.TypeFor[Sealed]() || t.PkgPath() == "time"
}
