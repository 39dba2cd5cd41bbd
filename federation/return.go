package federation

import (
	"context"
	"net/url"

	"gatehouse/store"
)

// Return takes the callback of a departure to its end: it checks browser state,
// connection and parameters, redeems the code, verifies the ID token, fetches
// the profile and selects the attributes, in this order, and stops at the first
// fault. conn is the record as it is now; flow comes from the browser's sealed
// cookie. Nothing is written. Errors are *Error.
func (f *Federation) Return(ctx context.Context, conn store.Connection, flow Flow, params url.Values) (VerifiedIdentity, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timing.step)
	defer cancel()
	store.Hide(ctx, flow.State, flow.Nonce, flow.Verifier, params.Get("code"))
	hideSecret(ctx, &conn)
	store.Step(ctx, store.StepReturn, store.Names("parameters", params), store.Bool("iss", params.Has("iss")), store.Millis("away", f.now().Sub(flow.StartedAt)))
	id, err := f.verify(ctx, conn, flow, params)
	store.EndStep(ctx, err)
	f.metrics.returned(conn.ID, err)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	return id, nil
}

func (f *Federation) verify(ctx context.Context, conn store.Connection, flow Flow, params url.Values) (VerifiedIdentity, error) {
	if err := f.checkFlow(&conn, flow); err != nil {
		return VerifiedIdentity{}, err
	}
	u := f.upstream(&conn)
	if _, err := u.selectors(); err != nil {
		return VerifiedIdentity{}, err
	}
	md, err := f.metadata(ctx, &conn, u)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	code, err := checkCallback(conn.Issuer, md, flow, params)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	store.Step(ctx, store.StepRedeem)
	tokens, err := f.redeem(ctx, &conn, u, md, code, flow)
	if err != nil {
		return VerifiedIdentity{}, err
	}
	return f.identify(ctx, &conn, u, md, tokens, expected{
		nonce: flow.Nonce, startedAt: flow.StartedAt, forceLogin: flow.ForceLogin, maxAge: flow.MaxAge,
	}, flow.Lent, postedDocument(&conn, params))
}
