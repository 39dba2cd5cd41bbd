package admin

import (
	"errors"
	"strings"

	"gatehouse/store"
)

// checkConnection joins our faults with federation's. What weakens a connection
// or reaches into the private network is for the platform's owners; believing
// every address of the provider is for the organization's, too.
func (h *Handler) checkConnection(p Principal, before store.Connection, c *store.Connection) error {
	var f faults
	owner := Owner.Allows(p, Object{c.OrganizationID})
	loosened := c.AllowPrivateNetwork && !before.AllowPrivateNetwork || c.InsecureNoPKCE && !before.InsecureNoPKCE ||
		c.InsecureNoNonce && !before.InsecureNoNonce || c.AllowPublicDomains && !before.AllowPublicDomains
	trusting := c.TrustEmail == "always" && before.TrustEmail != "always"
	if loosened && !Owner.Allows(p, Object{}) || trusting && !owner {
		return errForbidden
	}
	if loosened || trusting {
		if err := h.fresh(p); err != nil {
			return err
		}
	}
	if err := h.federation.CheckConnection(c); err != nil {
		f = append(f, err)
	}
	if !owner {
		f.movedSecrets(before, *c)
	}
	return f.join()
}

// movedSecrets: who cannot read a secret must not have it sent elsewhere and
// read it there. An admin who changes where it goes gives it again.
func (f *faults) movedSecrets(before, c store.Connection) {
	if before.ID == "" || goesTo(before) == goesTo(c) {
		return
	}
	for name, secret := range map[string]store.Sealed{"client_secret": c.ClientSecret, "private_key": c.PrivateKey} {
		if !secret.IsZero() && !secret.Fresh() {
			f.add(name, "would be sent to another address than before: give it again together with this change, or ask an owner")
		}
	}
}

// goesTo is everything that decides where a connection's secrets are sent.
func goesTo(c store.Connection) string {
	parts := []string{c.Issuer, c.Endpoints.Token, c.Endpoints.Revocation, c.Endpoints.PushedAuthorization}
	for _, p := range c.Parameters {
		if p.Source == store.FromConfiguration && p.Value == "client_secret" {
			parts = append(parts, c.Endpoints.Authorize, c.Endpoints.Userinfo, c.Profile.Kind, c.Profile.URL, c.Profile.URLSelector.Path,
				strings.Join(c.Profile.AllowedHosts, " "), p.Name, p.As, strings.Join(p.In, " "))
		}
	}
	return strings.Join(parts, "\x00")
}

// namesExist checks, inside the transaction that saves, what a connection
// names: its organization, and other connections.
// An organization's admin names only connections of theirs.
func (h *Handler) namesExist(tx store.Tx, p Principal, c store.Connection) error {
	var f faults
	if ok, err := has(tx, h.store.Organizations, c.OrganizationID); err != nil {
		return err
	} else if !ok {
		f.add("organization", "names an organization that does not exist")
	}
	for _, name := range namedBy(c) {
		if name.id == c.ID {
			continue
		}
		other, err := h.store.Connections.Get(tx, name.id)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err != nil || !p.sees(other.OrganizationID) {
			f.add(name.path, "names a connection that does not exist")
		}
	}
	return f.join()
}

type naming struct{ path, id string }

// namedBy are the connections that a connection names, and where.
func namedBy(c store.Connection) (out []naming) {
	if c.AssertionConnection != "" {
		out = append(out, naming{"assertion_connection", c.AssertionConnection})
	}
	for i, p := range c.Parameters {
		if id, _, ok := strings.Cut(p.Value, "."); ok && p.Source == store.FromSession {
			out = append(out, naming{"parameters[" + itoa(i) + "].value", id})
		}
	}
	return out
}
