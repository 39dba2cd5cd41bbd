package provisioning

import (
	"errors"

	"gatehouse/store"
)

// Resume answers for a waiting browser: what became of its request. Approved
// is SignedIn when the gate lets the user have tokens for client now; until
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
		_, _, connOn, orgOn, err := p.origin(tx, r.ConnectionID)
		switch {
		case err != nil:
			return Decision{}, err
		case !connOn:
			d.Reason, d.Why = ReasonConnection, "the connection was switched off"
		case !orgOn:
			d.Reason, d.Why = ReasonOrganization, "the organization was switched off"
		default:
			d.Kind, d.Why = Pending, "nobody has decided yet"
		}
		return d, nil
	}
	_, err = p.Authorize(tx, r.UserID, client.ID, r.ConnectionID)
	var no *NotAllowedError
	switch {
	case errors.As(err, &no):
		d.Reason, d.Why = no.Reason, "approved, but the gate refuses"
		return d, nil
	case err != nil:
		return Decision{}, err
	}
	d.Kind, d.UserID, d.Why = SignedIn, r.UserID, "an admin approved the request"
	return d, nil
}

// ExpireRequests marks up to limit waiting requests whose time is over, and
// returns how many. A sweep calls it now and then; nothing depends on it.
func (p *Provisioner) ExpireRequests(tx store.Tx, limit int) (n int, err error) {
	now := p.now()
	for r, err := range p.store.AccessRequests.AllByIndex(tx, "state", store.RequestPending) {
		if err != nil || n >= limit {
			return n, err
		}
		if now.Before(r.ExpiresAt) {
			continue
		}
		if err := p.expire(tx, r); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
