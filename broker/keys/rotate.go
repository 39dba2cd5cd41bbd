package keys

import (
	"context"
	"crypto/x509"
	"time"

	"gatehouse/store"
)

// Maintain does what age demands and then reloads: creates the first key of
// each algorithm, publishes a successor when the newest key is as old as
// RotateEvery, and removes keys whose tokens have all expired. Several
// processes may call it at once: one rotates (SECURITY-CASES K5).
func (r *Ring) Maintain(ctx context.Context) error {
	for _, alg := range []string{ES256, RS256} {
		if due, err := r.due(ctx, alg); err != nil {
			return err
		} else if due {
			if err := r.add(alg, false, r.change(ctx)); err != nil {
				return err
			}
		}
	}
	if err := r.sweep(ctx); err != nil {
		return err
	}
	return r.Reload(ctx)
}

// RotateIn publishes a successor now, whatever the age, in a change of the
// caller's; it signs after Lead. One that is published already is enough.
func (r *Ring) RotateIn(ctx context.Context, algorithm string, change func(func(*store.Change) error) error) error {
	if err := r.add(algorithm, true, change); err != nil {
		return err
	}
	return r.Reload(ctx)
}

// change is a change of the system's own.
func (r *Ring) change(ctx context.Context) func(func(*store.Change) error) error {
	return func(fn func(*store.Change) error) error {
		return r.cfg.Store.Change(ctx, store.Actor{UserID: "system", Via: "system"}, fn)
	}
}

func (r *Ring) due(ctx context.Context, alg string) (due bool, err error) {
	err = r.cfg.Store.View(ctx, func(tx store.Tx) error {
		newest, err := r.newest(tx, alg)
		due = newest == nil || r.cfg.Now().Sub(newest.ActiveAt) >= r.cfg.RotateEvery
		return err
	})
	return due, err
}

// newest is the key of an algorithm that became or becomes active last.
func (r *Ring) newest(tx store.Tx, alg string) (*store.SigningKey, error) {
	recs, _, err := r.cfg.Store.SigningKeys.List(tx, store.Page{Limit: 1000})
	if err != nil {
		return nil, err
	}
	var newest *store.SigningKey
	for i := range recs {
		if recs[i].Algorithm == alg && (newest == nil || recs[i].ActiveAt.After(newest.ActiveAt)) {
			newest = &recs[i]
		}
	}
	return newest, nil
}

// add makes a key outside the transaction and keeps it unless another process
// was first.
func (r *Ring) add(alg string, force bool, change func(func(*store.Change) error) error) error {
	private, err := generate(alg)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(private.Public())
	if err != nil {
		return err
	}
	rec := store.SigningKey{ID: store.NewID(), Algorithm: alg, Public: public}
	err = change(func(ch *store.Change) error {
		now := r.cfg.Now().UTC()
		prev, err := r.newest(ch.Tx, alg)
		if err != nil {
			return err
		}
		if prev != nil && (prev.ActiveAt.After(now) || (!force && now.Sub(prev.ActiveAt) < r.cfg.RotateEvery)) {
			return errDone // a successor is already published
		}
		rec.CreatedAt, rec.ActiveAt = now, now
		rec.Private = store.Seal(store.Secret(der))
		if prev != nil {
			rec.ActiveAt = now.Add(r.cfg.Lead)
			prev.RetiredAt = rec.ActiveAt
			prev.RemoveAt = rec.ActiveAt.Add(r.cfg.Keep)
			if err := r.cfg.Store.SigningKeys.Put(ch.Tx, *prev); err != nil {
				return err
			}
		}
		if err := r.cfg.Store.SigningKeys.Insert(ch.Tx, rec); err != nil {
			return err
		}
		return ch.Record("signing_key.create", "signing_key/"+rec.ID, map[string]any{"algorithm": alg, "active_at": rec.ActiveAt.Format(time.RFC3339)})
	})
	if err == errDone {
		return nil
	}
	return err
}

// sweep removes keys past RemoveAt.
func (r *Ring) sweep(ctx context.Context) error {
	var gone []string
	err := r.cfg.Store.View(ctx, func(tx store.Tx) error {
		gone = nil
		recs, _, err := r.cfg.Store.SigningKeys.List(tx, store.Page{Limit: 1000})
		for _, k := range recs {
			if !k.RemoveAt.IsZero() && r.cfg.Now().After(k.RemoveAt) {
				gone = append(gone, k.ID)
			}
		}
		return err
	})
	if err != nil || len(gone) == 0 {
		return err
	}
	return r.cfg.Store.Change(ctx, store.Actor{UserID: "system", Via: "system"}, func(ch *store.Change) error {
		for _, id := range gone {
			if err := r.cfg.Store.SigningKeys.Delete(ch.Tx, id); err != nil {
				return err
			}
			if err := ch.Record("signing_key.delete", "signing_key/"+id, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
