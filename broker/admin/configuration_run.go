package admin

import (
	"bytes"
	"errors"
	"maps"
	"slices"

	"gatehouse/configuration"
	"gatehouse/profile"
	"gatehouse/store"
)

// configurationRun is one document on its way into the store, inside the
// transaction that keeps it.
type configurationRun struct {
	h        *Handler
	ch       *store.Change
	p        Principal
	doc      configuration.Document
	stored   storedConfiguration
	prune    bool
	prepared prepared

	faults  faults
	changes []plannedChange
	whole   []func() error // checks of what it all makes together
	forget  []string       // connections whose discovery is read again
}

// all writes everything, then checks the whole.
func (c *configurationRun) all() error {
	for _, step := range []func() error{c.organizations, c.domains, c.connections, c.clients, c.webhooks} {
		if err := step(); err != nil {
			return err
		}
	}
	for _, check := range c.whole {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// part is how one kind of object goes from a document into the store.
type part[R, T any] struct {
	kind, section string
	name          string // member of the text that is the id
	collection    *store.Collection[R]
	stored        map[string]R
	texts         []T // nil: the document does not manage this kind
	id            func(T) string
	key           func(R) string // of the collection
	target        func(R) string // of audit entries
	text          func(R) T
	// merge makes the record that a text means; before is the stored one, or
	// zero. Faults have the path of the object.
	merge func(e *edit[R], t T, path string) error
	// check judges it and brings it into its canonical form, before it is written.
	check func(e *edit[R], path string) error
	// settled judges it when everything is written.
	settled func(e *edit[R], path string) error
	// removed judges a removal when everything is written.
	removed func(rec R) (notes []string, err error)
	view    func(R) any // for the audit
	action  func(e *edit[R]) string
}

// edit is one object that is made or changed.
type edit[R any] struct {
	before, after R
	exists        bool
	secrets       []plannedField
	notes         []string
}

// maxConfiguredID is longer than any id that passes the checks.
const maxConfiguredID = 400

func apply[R, T any](c *configurationRun, k part[R, T]) error {
	if k.texts == nil {
		return nil
	}
	seen := map[string]bool{}
	for i, t := range k.texts {
		path, id := indexed(k.section, i), k.id(t)
		switch {
		case id == "" || len(id) > maxConfiguredID:
			c.faults.add(path+"."+k.name, "is required, and at most 255 characters long")
			continue
		case seen[id]:
			c.faults.add(path+"."+k.name, "is the second of this id in the document")
			continue
		}
		seen[id] = true
		if err := applyOne(c, k, t, id, path); err != nil {
			return err
		}
	}
	if !c.prune {
		return nil
	}
	for _, id := range slices.Sorted(maps.Keys(k.stored)) {
		if !seen[id] {
			if err := removeOne(c, k, id); err != nil {
				return err
			}
		}
	}
	return nil
}

func applyOne[R, T any](c *configurationRun, k part[R, T], t T, id, path string) error {
	e := &edit[R]{}
	e.before, e.exists = k.stored[id]
	found := len(c.faults)
	if err := k.merge(e, t, path); err != nil {
		return err
	}
	same := func() bool {
		return e.exists && len(e.secrets) == 0 && bytes.Equal(plainText(k.text(e.before)), plainText(k.text(e.after)))
	}
	if same() {
		return nil
	}
	if !e.exists {
		buried, err := k.collection.Buried(c.ch.Tx, k.key(e.after))
		if err != nil {
			return err
		}
		if buried {
			c.faults.add(path+"."+k.name, "belonged to something that was removed: ids are never given out twice, choose another")
			return nil
		}
	}
	if err := k.check(e, path); err != nil {
		return err
	}
	if same() { // now that defaults are filled in
		return nil
	}
	action := "change"
	write := k.collection.Put
	if !e.exists {
		action, write = "create", k.collection.Insert
	}
	if err := write(c.ch.Tx, e.after); err != nil {
		if len(c.faults) > found { // what is wrong with it has been said
			return nil
		}
		return err
	}
	saved, err := k.collection.Get(c.ch.Tx, k.key(e.after))
	if err != nil {
		return err
	}
	var before any
	var was, is []byte
	if is = plainText(k.text(saved)); e.exists {
		before, was = k.view(e.before), plainText(k.text(e.before))
	}
	detail := difference(before, k.view(saved))
	for _, s := range e.secrets {
		detail[s.Path] = "changed"
	}
	detail["applied"] = "configuration"
	if err := c.ch.Record(k.action(e), k.target(saved), detail); err != nil {
		return err
	}
	c.changes = append(c.changes, plannedChange{
		Kind: k.kind, ID: id, Action: action, Fields: append(differingFields(was, is), e.secrets...), Notes: listed(e.notes),
	})
	at := len(c.changes) - 1
	c.whole = append(c.whole, func() error {
		err := k.settled(e, path)
		c.changes[at].Notes = listed(e.notes)
		return err
	})
	return nil
}

func removeOne[R, T any](c *configurationRun, k part[R, T], id string) error {
	rec := k.stored[id]
	if err := k.collection.Delete(c.ch.Tx, k.key(rec)); err != nil {
		return err
	}
	detail := difference(k.view(rec), nil)
	detail["applied"] = "configuration"
	if err := c.ch.Record(k.kind+".delete", k.target(rec), detail); err != nil {
		return err
	}
	c.changes = append(c.changes, plannedChange{Kind: k.kind, ID: id, Action: "remove", Fields: []plannedField{}, Notes: []string{}})
	at := len(c.changes) - 1
	c.whole = append(c.whole, func() error {
		notes, err := k.removed(rec)
		if k.kind != "domain" {
			notes = append(notes, "its id is never given out again")
		}
		c.changes[at].Notes = notes
		return err
	})
	return nil
}

// under puts the faults of a check below the path of its object; another kind
// of error is returned.
func (c *configurationRun) under(path string, err error) error {
	if err == nil {
		return nil
	}
	found := fieldErrors(err)
	if found == nil {
		return err
	}
	for _, f := range found {
		c.faults = append(c.faults, &profile.FieldError{Path: path + "." + f.Path, Problem: f.Problem, Fix: f.Fix})
	}
	return nil
}

// located is all faults with the places they stand at in the document.
func (c *configurationRun) located(places configuration.Places) error {
	var out faults
	for _, err := range c.faults {
		var f *profile.FieldError
		if errors.As(err, &f) {
			out = append(out, places.At(f))
		}
	}
	return out.join()
}
