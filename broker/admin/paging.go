package admin

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"

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

// maxLooked is how many records one page may look through to find those that
// are the caller's; a page may so be shorter than asked, and still have a next.
const maxLooked = 1000

// listing is how a list is read: whole for the platform's people, and what is
// theirs for an organization's. A listing that says only all is closed to the
// latter.
type listing[T any] struct {
	// name binds the cursor to this list and its filter.
	name string
	// all reads the list with its filter.
	all func(store.Tx, store.Page) ([]T, string, error)
	// of reads those of one organization, by an index.
	of func(tx store.Tx, organization string, p store.Page) ([]T, string, error)
	// owners, for lists without such an index, is whose a record is: all is read
	// and the others are left out.
	owners func(tx store.Tx, rec T) (belonging, error)
	// checked: what is read belongs to the object or organization in the path,
	// which the guard has held against the caller's roles; or, at the level
	// SignedIn, to the caller alone.
	checked bool
	// organization narrows to one; needs of.
	organization string
}

// list reads one page in a View, of a list that only the platform's people see.
func list[T, V any](ctx context.Context, h *Handler, name string, in Paging,
	read func(store.Tx, store.Page) ([]T, string, error), view func(store.Tx, T) (V, error),
) (Page[V], error) {
	return listOf(ctx, h, in, listing[T]{name: name, all: read}, view)
}

// listOf reads one page in a View: of the caller's part of the list.
func listOf[T, V any](ctx context.Context, h *Handler, in Paging, l listing[T], view func(store.Tx, T) (V, error)) (Page[V], error) {
	read, name, err := l.reader(principalFrom(ctx))
	if err != nil {
		return Page[V]{}, err
	}
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

// reader chooses how to read for a caller, and the name of the cursor.
func (l listing[T]) reader(p Principal) (func(store.Tx, store.Page) ([]T, string, error), string, error) {
	name := l.name + "\norganization=" + l.organization
	switch {
	case p.gate.level == SignedIn && !l.checked: // anybody: a list has to say that it is theirs alone
		return nil, "", errForbidden
	case p.gate.level.Allows(p, Object{}):
		if l.organization != "" {
			return l.across([]string{l.organization}), name, nil
		}
		return l.all, name, nil
	case l.checked && (p.gate.scope == inOrganization || p.gate.scope == byObject):
		return l.all, name, nil
	}
	theirs := p.organizationsAt(p.gate.level)
	name += "\nof=" + strings.Join(theirs, " ")
	switch {
	case l.of != nil:
		if l.organization != "" {
			theirs = slices.DeleteFunc(theirs, func(id string) bool { return id != l.organization })
		}
		return l.across(theirs), name, nil
	case l.owners != nil:
		return l.picked(p), name, nil
	}
	return nil, "", errForbidden
}

// across reads one organization after the other. The cursor says which one, and
// where in it.
func (l listing[T]) across(organizations []string) func(store.Tx, store.Page) ([]T, string, error) {
	return func(tx store.Tx, page store.Page) (out []T, next string, err error) {
		at, inner := "", ""
		if page.Cursor != "" {
			raw, err := base64.RawURLEncoding.DecodeString(page.Cursor) // sealed: it is ours
			if err != nil {
				return nil, "", errCursor
			}
			at, inner, _ = strings.Cut(string(raw), "\n")
		}
		for i, id := range organizations {
			if id < at {
				continue
			}
			if id != at {
				inner = ""
			}
			some, more, err := l.of(tx, id, store.Page{Cursor: inner, Limit: page.Limit - len(out)})
			if err != nil {
				return nil, "", err
			}
			out = append(out, some...)
			last := i == len(organizations)-1
			switch {
			case more != "":
				next = id + "\n" + more
			case len(out) >= page.Limit && !last:
				next = organizations[i+1] + "\n"
			default:
				continue
			}
			return out, base64.RawURLEncoding.EncodeToString([]byte(next)), nil
		}
		return out, "", nil
	}
}

// picked reads the whole list and keeps what is the caller's.
func (l listing[T]) picked(p Principal) func(store.Tx, store.Page) ([]T, string, error) {
	g := p.gate
	g.reads = true
	return func(tx store.Tx, page store.Page) (out []T, next string, err error) {
		for looked := 0; ; {
			some, more, err := l.all(tx, store.Page{Cursor: page.Cursor, Limit: page.Limit - len(out)})
			if err != nil {
				return nil, "", err
			}
			for _, rec := range some {
				whose, err := l.owners(tx, rec)
				if err != nil {
					return nil, "", err
				}
				if g.judge(p, whose) == nil {
					out = append(out, rec)
				}
			}
			looked += len(some)
			if more == "" || len(out) >= page.Limit || looked >= maxLooked {
				return out, more, nil
			}
			page.Cursor = more
		}
	}
}

// plain makes a view function of one that needs no transaction.
func plain[T, V any](fn func(T) V) func(store.Tx, T) (V, error) {
	return func(_ store.Tx, rec T) (V, error) { return fn(rec), nil }
}
