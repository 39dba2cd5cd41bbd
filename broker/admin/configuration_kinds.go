package admin

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse/configuration"
	"gatehouse/profile"
	"gatehouse/provisioning/ownership"
	"gatehouse/store"
)

func (c *configurationRun) organizations() error {
	st := c.h.store
	return apply(c, part[store.Organization, configuration.Organization]{
		kind: "organization", section: "organizations", name: "id", collection: st.Organizations, stored: c.stored.organizations, texts: c.doc.Organizations,
		id:     func(t configuration.Organization) string { return t.ID },
		key:    func(o store.Organization) string { return o.ID },
		target: func(o store.Organization) string { return "organization/" + o.ID },
		text:   textOrganization,
		merge: func(e *edit[store.Organization], t configuration.Organization, _ string) error {
			e.after = t.Organization
			e.after.Meta = e.before.Meta
			if e.after.DefaultRole == store.RoleUser {
				e.after.DefaultRole = ""
			}
			switch {
			case t.JoinActor != nil:
				e.after.JoinActor = *t.JoinActor
			case e.exists && e.before.Join == t.Join:
				e.after.JoinActor = e.before.JoinActor
			case t.Join != store.JoinOff:
				e.after.JoinActor = c.p.UserID
			}
			return nil
		},
		check: func(*edit[store.Organization], string) error { return nil },
		settled: func(e *edit[store.Organization], path string) error {
			return c.under(path, c.h.checkOrganization(c.ch.Tx, c.p, e.before, e.after))
		},
		removed: c.removedOrganization,
		view:    func(o store.Organization) any { return viewOrganization(o) },
		action:  usualAction[store.Organization]("organization"),
	})
}

func usualAction[R any](kind string) func(*edit[R]) string {
	return func(e *edit[R]) string {
		if e.exists {
			return kind + ".update"
		}
		return kind + ".create"
	}
}

func (c *configurationRun) removedOrganization(o store.Organization) ([]string, error) {
	one := store.Page{Limit: 1}
	connections, _, err1 := c.h.store.Connections.ByIndex(c.ch.Tx, "organization", o.ID, one)
	domains, _, err2 := c.h.store.Domains.ByIndex(c.ch.Tx, "organization", o.ID, one)
	webhooks, _, err3 := c.h.store.Webhooks.ByIndex(c.ch.Tx, "organization", o.ID, one)
	members, _, err4 := c.h.store.Memberships.ByIndex(c.ch.Tx, "organization", o.ID, one)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	if len(connections)+len(domains)+len(webhooks) > 0 {
		c.faults.add("organizations", "does not name %s, which still has connections, domains or webhooks", o.ID)
	}
	if len(members) > 0 {
		c.faults.add("organizations", "does not name %s, which still has members: remove them first", o.ID)
	}
	for client, err := range c.h.store.Clients.All(c.ch.Tx) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(client.Organizations, o.ID) {
			c.faults.add("organizations", "does not name %s, and client %s lists it", o.ID, client.ID)
		}
	}
	return nil, nil
}

func (c *configurationRun) domains() error {
	st := c.h.store
	// Before anything else: a spelling that is not canonical names the same claim.
	challenges := map[string]string{}
	for i := range c.doc.Domains {
		d := &c.doc.Domains[i]
		if name, err := profile.ParseDomain(d.Name); err == nil {
			d.Name = name
		}
		challenges[domainID(d.Organization, d.Name)] = c.prepared.challenges[i]
	}
	return apply(c, part[store.Domain, configuration.Domain]{
		kind: "domain", section: "domains", name: "name", collection: st.Domains, stored: c.stored.domains, texts: c.doc.Domains,
		id:     func(t configuration.Domain) string { return domainID(t.Organization, t.Name) },
		key:    func(d store.Domain) string { return store.DomainKey(d.Name, d.OrganizationID) },
		target: func(d store.Domain) string { return "domain/" + d.OrganizationID + "/" + d.Name },
		text:   textDomain,
		merge: func(e *edit[store.Domain], t configuration.Domain, path string) error {
			e.after = e.before
			e.after.OrganizationID, e.after.Name, e.after.Join, e.after.Approvers = t.Organization, t.Name, t.Join, t.Approvers
			asserted := e.exists && e.before.State == store.DomainAsserted
			switch t.State {
			case configuration.StateAsserted:
				e.after.State, e.after.Challenge, e.after.CheckError, e.after.MissingSince = store.DomainAsserted, "", "", time.Time{}
				if asserted {
					e.after = e.before
					e.after.Join, e.after.Approvers = t.Join, t.Approvers
				}
			case configuration.StateClaimed:
				if !e.exists || asserted {
					e.after.State, e.after.Challenge = store.DomainPending, challenges[domainID(t.Organization, t.Name)]
					e.notes = append(e.notes, "counts once its DNS record is seen")
				}
			default:
				c.faults.add(path+".state", "must be asserted or claimed")
			}
			return nil
		},
		check: func(e *edit[store.Domain], path string) error {
			if _, err := profile.ParseDomain(e.after.Name); err != nil {
				c.faults.add(path+".name", "is not a domain name such as acme.example")
			} else if problem := ownership.Provable(e.after.Name); problem != "" && e.after.State == store.DomainPending {
				c.faults.add(path+".name", "%s: claim a domain of the company's own", problem)
			}
			var f faults
			if e.after.Join != "" {
				f.joinPolicy("join", e.after.Join)
			}
			return c.under(path, f.join())
		},
		settled: c.settledDomain,
		removed: func(store.Domain) ([]string, error) { return nil, nil },
		view:    func(d store.Domain) any { return c.h.viewDomain(d) },
		action: func(e *edit[store.Domain]) string {
			if e.exists && e.before.State != store.DomainAsserted && e.after.State == store.DomainAsserted {
				return "domain.assert"
			}
			return usualAction[store.Domain]("domain")(e)
		},
	})
}

func (c *configurationRun) settledDomain(e *edit[store.Domain], path string) error {
	if ok, err := has(c.ch.Tx, c.h.store.Organizations, e.after.OrganizationID); err != nil {
		return err
	} else if !ok {
		c.faults.add(path+".organization", "names an organization that does not exist")
	}
	if e.after.State == store.DomainPending && (!e.exists || e.before.State == store.DomainAsserted) {
		taken, err := ownership.Taken(c.ch.Tx, c.h.store, e.after.Name, e.after.OrganizationID)
		if err != nil {
			return err
		}
		if taken {
			c.faults.add(path+".name", "is held by another organization: assert it for this one too, or leave it")
		}
	}
	if slices.Equal(e.before.Approvers, e.after.Approvers) {
		return nil
	}
	f, err := c.h.approversExist(c.ch.Tx, e.after.OrganizationID, e.after.Approvers)
	if err != nil {
		return err
	}
	return c.under(path, f.join())
}

func (c *configurationRun) connections() error {
	st := c.h.store
	return apply(c, part[store.Connection, configuration.Connection]{
		kind: "connection", section: "connections", name: "id", collection: st.Connections, stored: c.stored.connections, texts: c.doc.Connections,
		id:     func(t configuration.Connection) string { return t.ID },
		key:    func(x store.Connection) string { return x.ID },
		target: func(x store.Connection) string { return "connection/" + x.ID },
		text:   textConnection,
		merge: func(e *edit[store.Connection], t configuration.Connection, path string) error {
			e.after = st.Connections.Copy(&t.Connection) // checks may canonicalize in place
			e.after.Meta = e.before.Meta
			ownKey := t.ClientAuth == store.AuthPrivateKeyJWT && t.Apple == nil
			var secret, key []plannedField
			e.after.ClientSecret, secret = c.sealed(t.ClientSecret, e.before.ClientSecret, "client_secret", path+".client_secret", false)
			e.after.PrivateKey, key = c.sealed(t.PrivateKey, e.before.PrivateKey, "private_key", path+".private_key", ownKey)
			e.secrets = append(secret, key...)
			if ownKey && e.after.PrivateKey.IsZero() {
				e.notes = append(e.notes, "gets a new key: register its public half at the provider")
			}
			if e.exists && e.before.OrganizationID != e.after.OrganizationID {
				c.faults.add(path+".organization", "cannot be changed: people of one company are not moved to another")
			}
			return nil
		},
		check: func(e *edit[store.Connection], path string) error {
			c.forget = append(c.forget, e.after.ID)
			err := c.h.checkConnection(c.p, e.before, &e.after)
			// A key has one form now: it may be the one that is stored.
			if sameSecret(e.before.PrivateKey, e.after.PrivateKey) {
				e.after.PrivateKey = e.before.PrivateKey
				e.secrets = slices.DeleteFunc(e.secrets, func(f plannedField) bool { return f.Path == "private_key" })
			}
			return c.under(path, err)
		},
		settled: func(e *edit[store.Connection], path string) error {
			for _, w := range c.h.federation.ConnectionWarnings(e.after) {
				e.notes = append(e.notes, w.Path+": "+w.Problem)
			}
			return c.under(path, c.h.namesExist(c.ch.Tx, c.p, e.after))
		},
		removed: c.removedConnection,
		view:    func(x store.Connection) any { return c.h.settings(x) },
		action:  usualAction[store.Connection]("connection"),
	})
}

// removedConnection: what would dangle is a fault; people who came through it
// are worth knowing of.
func (c *configurationRun) removedConnection(x store.Connection) (notes []string, err error) {
	c.forget = append(c.forget, x.ID)
	refs, err := c.h.references(c.ch.Tx, x)
	if err != nil {
		return nil, err
	}
	for _, r := range refs {
		switch r.Kind {
		case "client", "connection":
			c.faults.add("connections", "does not name %s, and %s %s %s", x.ID, r.Kind, r.Name, r.Says)
		case "identity", "access_request":
			notes = append(notes, fmt.Sprintf("%s × %s: %s", r.Name, r.Kind, r.Says))
		}
	}
	return notes, c.unruled("connections", x.ID, func(r store.AdmissionRule) bool { return r.ConnectionID == x.ID })
}

// unruled finds rules of organizations that name what is removed.
func (c *configurationRun) unruled(section, id string, names func(store.AdmissionRule) bool) error {
	for o, err := range c.h.store.Organizations.All(c.ch.Tx) {
		if err != nil {
			return err
		}
		for _, r := range o.Rules {
			if names(r) {
				c.faults.add(section, "does not name %s, and a rule of organization %s does", id, o.ID)
			}
		}
	}
	return nil
}

func (c *configurationRun) clients() error {
	st := c.h.store
	return apply(c, part[store.Client, configuration.Client]{
		kind: "client", section: "clients", name: "id", collection: st.Clients, stored: c.stored.clients, texts: c.doc.Clients,
		id:     func(t configuration.Client) string { return t.ID },
		key:    func(x store.Client) string { return x.ID },
		target: func(x store.Client) string { return "client/" + x.ID },
		text:   textClient,
		merge: func(e *edit[store.Client], t configuration.Client, path string) error {
			e.after = st.Clients.Copy(&t.Client)
			e.after.Meta = e.before.Meta
			e.after.Secrets, e.secrets = c.clientSecrets(t.ClientSecret, slices.Clone(e.before.Secrets), path+".client_secret")
			if e.exists && e.before.Type != e.after.Type {
				c.faults.add(path+".type", "cannot be changed: register another app")
			}
			if t.ID == store.ConsoleClient {
				c.faults.add(path+".id", "is the console's own")
			}
			if !e.after.Public() && len(e.after.Secrets) == 0 {
				e.notes = append(e.notes, "has no secret yet: `gatehouse client rotate-secret` makes one, or name one with client_secret")
			}
			return nil
		},
		check: func(*edit[store.Client], string) error { return nil },
		settled: func(e *edit[store.Client], path string) error {
			return c.under(path, c.h.clientCheck(c.ch.Tx, c.p, e.before, &e.after))
		},
		removed: c.removedClient,
		view:    func(x store.Client) any { return viewClient(x) },
		action:  usualAction[store.Client]("client"),
	})
}

func (c *configurationRun) removedClient(x store.Client) ([]string, error) {
	for o, err := range c.h.store.Organizations.All(c.ch.Tx) {
		if err != nil {
			return nil, err
		}
		if slices.Contains(o.AutomaticClients, x.ID) {
			c.faults.add("clients", "does not name %s, and organization %s gives it to newcomers", x.ID, o.ID)
		}
	}
	return nil, c.unruled("clients", x.ID, func(r store.AdmissionRule) bool { return slices.Contains(r.Clients, x.ID) })
}

func (c *configurationRun) webhooks() error {
	st := c.h.store
	return apply(c, part[store.Webhook, configuration.Webhook]{
		kind: "webhook", section: "webhooks", name: "id", collection: st.Webhooks, stored: c.stored.webhooks, texts: c.doc.Webhooks,
		id:     func(t configuration.Webhook) string { return t.ID },
		key:    func(w store.Webhook) string { return w.ID },
		target: func(w store.Webhook) string { return "webhook/" + w.ID },
		text:   textWebhook,
		merge: func(e *edit[store.Webhook], t configuration.Webhook, path string) error {
			e.after = t.Webhook
			e.after.Meta, e.after.PreviousSecret, e.after.PreviousUntil = e.before.Meta, e.before.PreviousSecret, e.before.PreviousUntil
			c.webhookSecret(t.Secret, path+".secret")
			e.after.Secret, e.secrets = c.sealed(t.Secret, e.before.Secret, "secret", path+".secret", false)
			if len(e.secrets) > 0 {
				e.after.PreviousSecret, e.after.PreviousUntil = store.Sealed{}, time.Time{}
			}
			if e.after.Secret.IsZero() && (t.Secret == nil || t.Secret.From == configuration.SecretNone) {
				c.faults.add(path+".secret", "is required: a webhook signs what it sends")
			}
			if e.exists && e.before.OrganizationID != e.after.OrganizationID {
				c.faults.add(path+".organization", "cannot be changed")
			}
			return nil
		},
		check: func(e *edit[store.Webhook], path string) error {
			if !clientIDPattern.MatchString(e.after.ID) {
				c.faults.add(path+".id", "must be 1 to 64 letters, digits, and inner dots, hyphens or underscores")
			}
			return c.under(path, c.h.webhookCheck(c.p, e.before, &e.after))
		},
		settled: c.settledWebhook,
		removed: func(store.Webhook) ([]string, error) { return nil, nil },
		view:    func(w store.Webhook) any { return viewWebhook(w) },
		action:  usualAction[store.Webhook]("webhook"),
	})
}

func (c *configurationRun) settledWebhook(e *edit[store.Webhook], path string) error {
	if e.after.OrganizationID != "" {
		if ok, err := has(c.ch.Tx, c.h.store.Organizations, e.after.OrganizationID); err != nil {
			return err
		} else if !ok {
			c.faults.add(path+".organization", "names an organization that does not exist")
		}
	}
	if e.exists {
		return nil
	}
	n := 0
	for w, err := range c.h.store.Webhooks.All(c.ch.Tx) {
		if err != nil {
			return err
		}
		if w.OrganizationID == e.after.OrganizationID {
			n++
		}
	}
	if n > maxWebhooks {
		c.faults.add(path, "is one too many: %d webhooks for one organization, or for all, are the most", maxWebhooks)
	}
	return nil
}
