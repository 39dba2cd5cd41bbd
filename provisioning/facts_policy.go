package provisioning

import (
	"strings"

	"gatehouse/federation"
	"gatehouse/profile"
	"gatehouse/store"
)

// policyFacts finds the first rule that matches and the policy in force.
func (p *Provisioner) policyFacts(tx store.Tx, id federation.VerifiedIdentity, s *situation) error {
	if r, ok := matchRule(s.org.Rules, s.conn, id.Attributes()); ok {
		s.rule, s.ruleName = ruleFact(policyOf(r.Join))+ruleOff, r.Name
		s.grant.rule = r
	}
	join, err := p.joinPolicy(tx, s.org, s.conn, id.Email())
	s.policy = policyOf(join)
	return err
}

// policyOf reads a policy; what is none is off (SECURITY-CASES G3).
func policyOf(j store.JoinPolicy) policyFact {
	switch j {
	case store.JoinRequest:
		return policyRequest
	case store.JoinAutomatic:
		return policyAutomatic
	case store.JoinOff:
	}
	return policyOff
}

// joinPolicy is the domain's own policy, else the connection's, else the
// organization's. The domain is the nearest one above the address that the
// organization has proven.
func (p *Provisioner) joinPolicy(tx store.Tx, org store.Organization, conn store.Connection, e profile.Email) (store.JoinPolicy, error) {
	d, err := p.domainOf(tx, org.ID, e)
	switch {
	case err != nil:
		return "", err
	case d.Join != "":
		return d.Join, nil
	case conn.Join != "":
		return conn.Join, nil
	}
	return org.Join, nil
}

// domainOf is the organization's nearest proven domain that covers the address;
// the zero Domain when there is none.
func (p *Provisioner) domainOf(tx store.Tx, organization string, e profile.Email) (store.Domain, error) {
	for name := e.Domain(); strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		d, err := p.store.Domains.Get(tx, store.DomainKey(name, organization))
		found, err := present(err)
		if err != nil || found && d.Owned() {
			return d, err
		}
	}
	return store.Domain{}, nil
}

// owned reports whether a connection may vouch for an address. A local account's
// address was proven here, by mail: that holds for every domain but one that
// only other organizations have proven (SECURITY-CASES E10).
func (p *Provisioner) owned(tx store.Tx, conn store.Connection, e profile.Email, owns owner) (bool, error) {
	if conn.Kind != store.KindLocal {
		return owns(tx, conn, e)
	}
	others := false
	for name := e.Domain(); strings.Contains(name, "."); _, name, _ = strings.Cut(name, ".") {
		for d, err := range p.store.Domains.AllByIndex(tx, "name", name) {
			switch {
			case err != nil:
				return false, err
			case !d.Owned():
			case d.OrganizationID == conn.OrganizationID:
				return true, nil
			default:
				others = true
			}
		}
		if others {
			return false, nil
		}
	}
	return true, nil
}
