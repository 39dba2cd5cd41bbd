package broker

import (
	"context"
	"errors"

	"gatehouse/provisioning"
	"gatehouse/store"
)

// unit is the work of one HTTP request: fosite's storage calls collect in it
// and are committed in one store.Update, in which every single-use row is
// looked at again (DESIGN §4). It lives in the request's context.
type unit struct {
	writes []func(store.Tx) error
	// refused is what a write found too late: the answer becomes invalid_grant
	// although the update commits, because it ended the grant.
	refused *oauthError

	code    *loadedCode  // the code being redeemed
	refresh *loadedGrant // the refresh token being rotated
}

// loadedCode and loadedGrant are what the request read, with the gate's word.
type loadedCode struct {
	code     store.Code
	grant    store.Grant
	standing provisioning.Standing
	refusal  *oauthError // code is real but cannot be redeemed
}

type loadedGrant struct {
	token    refreshToken
	grant    store.Grant
	standing provisioning.Standing
}

type unitKey struct{}

func withUnit(ctx context.Context) (context.Context, *unit) {
	u := &unit{}
	return context.WithValue(ctx, unitKey{}, u), u
}

// unitOf returns the request's unit. A storage call without one is a mistake in
// this package and panics into the 500 page.
func unitOf(ctx context.Context) *unit { return ctx.Value(unitKey{}).(*unit) }

func (u *unit) add(w func(store.Tx) error) { u.writes = append(u.writes, w) }

// apply runs the collected writes inside a transaction. It may run again with
// the transaction, so it starts from nothing.
func (u *unit) apply(tx store.Tx) error {
	u.refused = nil
	for _, w := range u.writes {
		if err := w(tx); err != nil {
			return err
		}
		if u.refused != nil {
			return nil // what follows belongs to an answer that is not given
		}
	}
	return nil
}

// commit runs the writes in one Update and says what became of the request.
func (b *Broker) commit(ctx context.Context, u *unit) error {
	if len(u.writes) == 0 {
		return nil
	}
	if err := b.store.Update(ctx, u.apply); err != nil {
		var oerr *oauthError
		if errors.As(err, &oerr) {
			return oerr
		}
		if errors.Is(err, provisioning.ErrNotAllowed) {
			return errInvalidGrant("The person, app or connection of this grant may not be used any more.").because(err)
		}
		return errUnavailable(err)
	}
	if u.refused != nil {
		return u.refused
	}
	return nil
}
