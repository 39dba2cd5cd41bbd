package admin

import (
	"context"

	"gatehouse/store"
)

// Paging is the query of every list.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"2048" doc:"Where the page before ended: its next value"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many at most"`
}

// Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"Cursor of the next page; absent at the end"`
}

type pageOutput[T any] struct{ Body Page[T] }

// list reads one page in a View. name binds the cursor to this list and filter.
func list[T, V any](ctx context.Context, h *Handler, name string, in Paging,
	read func(store.Tx, store.Page) ([]T, string, error), view func(store.Tx, T) (V, error),
) (Page[V], error) {
	after, err := h.cursors.decode(name, in.Cursor)
	if err != nil {
		return Page[V]{}, err
	}
	if in.Limit <= 0 || in.Limit > 200 {
		in.Limit = 50
	}
	out := Page[V]{Items: []V{}}
	err = h.store.View(ctx, func(tx store.Tx) error {
		records, next, err := read(tx, store.Page{Cursor: after, Limit: in.Limit})
		if err != nil {
			return err
		}
		for _, rec := range records {
			v, err := view(tx, rec)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, v)
		}
		out.Next = h.cursors.encode(name, next)
		return nil
	})
	return out, err
}

// plain makes a view function of one that needs no transaction.
func plain[T, V any](fn func(T) V) func(store.Tx, T) (V, error) {
	return func(_ store.Tx, rec T) (V, error) { return fn(rec), nil }
}
