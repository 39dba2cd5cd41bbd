package provisioning

import (
	"errors"

	"gatehouse/store"
)

// Reasons kept with ended grants by this package.
const (
	EndedSignedOut = "signed_out"
)

// EndSession ends a browser session at once, with every grant that came from
// it, offline ones included: signing out means signed out (SECURITY-CASES T5;
// OpenID Connect Back-Channel Logout §2.7 would let offline grants live). No
// such session is no error.
func (p *Provisioner) EndSession(tx store.Tx, keyHash string) error {
	for g, err := range p.store.Grants.AllByIndex(tx, "session", keyHash) {
		if err != nil {
			return err
		}
		if err := p.endGrant(tx, g, EndedSignedOut); err != nil {
			return err
		}
	}
	return p.dropSession(tx, keyHash)
}

// dropSession forgets a session and what refresh login keeps of its provider.
func (p *Provisioner) dropSession(tx store.Tx, keyHash string) error {
	if err := gone(p.store.UpstreamTokens.Delete(tx, keyHash)); err != nil {
		return err
	}
	return gone(p.store.Sessions.Delete(tx, keyHash))
}

// EndGrant ends a grant, and so every code and token of it, at once. A grant
// that has ended stays as it is; no such grant is no error.
func (p *Provisioner) EndGrant(tx store.Tx, id, reason string) error {
	g, err := p.store.Grants.Get(tx, id)
	if err != nil {
		return gone(err)
	}
	return p.endGrant(tx, g, reason)
}

func (p *Provisioner) endGrant(tx store.Tx, g store.Grant, reason string) error {
	if !g.EndedAt.IsZero() {
		return nil
	}
	g.EndedAt, g.EndReason = p.now().UTC(), reason
	return p.store.Grants.Put(tx, g)
}

// EndUser ends every session and every grant of a user, on every device.
func (p *Provisioner) EndUser(tx store.Tx, userID, reason string) error {
	for g, err := range p.store.Grants.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := p.endGrant(tx, g, reason); err != nil {
			return err
		}
	}
	for s, err := range p.store.Sessions.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := p.dropSession(tx, s.KeyHash); err != nil {
			return err
		}
	}
	return nil
}

func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
