package provisioning

import (
	"context"

	"gatehouse/store"
)

// Resume answers for a waiting browser: what became of its request. Approved
// is SignedIn when the gate lets the user have tokens for client now (the zero
// client: when it would let them in at all); until
// then nothing but Pending (SECURITY-CASES G6). It writes nothing. Whoever
// calls it has proven, by the sealed cookie of the login, that this browser
// made the request.
func (p *Provisioner) Resume(tx store.Tx, requestID string, client store.Client) (Decision, error) {
	r, err := p.store.AccessRequests.Get(tx, requestID)
	found, err := present(err)
	if err != nil {
		return Decision{}, err
	}
	d := Decision{Kind: Refused, OrganizationID: r.OrganizationID, Request: r}
	switch {
	case !found:
		d.Reason, d.Why = ReasonRequestGone, "the request does not exist"
		return d, nil
	case r.State == store.RequestRefused:
		d.Reason, d.Why = ReasonRefused, "an admin refused the request"
		return d, nil
	case r.State == store.RequestExpired, r.State == store.RequestPending && !p.now().Before(r.ExpiresAt):
		d.Reason, d.Why = ReasonExpired, "the request has expired"
		return d, nil
	case r.State == store.RequestPending:
		_, org, connOn, orgOn, err := p.origin(tx, r.ConnectionID)
		switch {
		case err != nil:
			return Decision{}, err
		case !connOn:
			d.Reason, d.Why = ReasonConnection, "the connection was switched off"
		case !orgOn:
			d.Reason, d.Why = ReasonOrganization, "the organization was switched off"
		case org.SignInOff:
			d.Reason, d.Why = ReasonSignInOff, "the organization switched signing in off"
		default:
			d.Kind, d.Why = Pending, "nobody has decided yet"
		}
		return d, nil
	}
	_, missing, err := p.standing(tx, r.UserID, client.ID, r.ConnectionID, client.ID == "")
	switch {
	case err != nil:
		return Decision{}, err
	case missing != "":
		d.Reason, d.Why = missing, "approved, but the gate refuses"
		return d, nil
	}
	d.Kind, d.UserID, d.Why = SignedIn, r.UserID, "an admin approved the request"
	return d, nil
}

// expireBatch is how many requests expire in one transaction.
const expireBatch = 200

// ExpireRequests marks waiting requests whose time is over, and tells. A
// background task calls it now and then; no decision depends on it.
func (p *Provisioner) ExpireRequests(ctx context.Context) error {
	for {
		var due []string
		err := p.store.View(ctx, func(tx store.Tx) error { // mostly nothing is due: the writer's turn is not taken to find out
			now := p.now()
			for r, err := range p.store.AccessRequests.AllByIndex(tx, "state", store.RequestPending) {
				if err != nil || len(due) == expireBatch {
					return err
				}
				if !now.Before(r.ExpiresAt) {
					due = append(due, r.ID)
				}
			}
			return nil
		})
		if err != nil || len(due) == 0 {
			return err
		}
		err = p.store.Update(ctx, func(tx store.Tx) error {
			for _, id := range due {
				r, err := p.store.AccessRequests.Get(tx, id)
				found, err := present(err)
				if err != nil {
					return err
				}
				if !found || r.State != store.RequestPending {
					continue
				}
				if err := p.expire(tx, r); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || len(due) < expireBatch {
			return err
		}
	}
}
