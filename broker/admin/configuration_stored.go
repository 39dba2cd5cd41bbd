package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"gatehouse/configuration"
	"gatehouse/store"
)

// storedConfiguration is everything that is stored and can stand in a document, by id.
type storedConfiguration struct {
	organizations map[string]store.Organization
	domains       map[string]store.Domain // by domainID
	connections   map[string]store.Connection
	clients       map[string]store.Client
	webhooks      map[string]store.Webhook
	// state is equal when nothing of it has changed: ids and revisions, and of
	// domains what a document says, because they are looked at again and again.
	state string
}

func (h *Handler) readConfigured(ctx context.Context) (c storedConfiguration, err error) {
	err = h.store.View(ctx, func(tx store.Tx) error {
		c, err = h.gatherConfiguration(tx)
		return err
	})
	return c, err
}

func (h *Handler) gatherConfiguration(tx store.Tx) (c storedConfiguration, err error) {
	var errs [5]error
	c.organizations, errs[0] = gather(h.store.Organizations.All(tx), func(o store.Organization) string { return o.ID })
	c.domains, errs[1] = gather(h.store.Domains.All(tx), func(d store.Domain) string { return domainID(d.OrganizationID, d.Name) })
	c.connections, errs[2] = gather(h.store.Connections.All(tx), func(c store.Connection) string { return c.ID })
	c.clients, errs[3] = gather(h.store.Clients.All(tx), func(c store.Client) string { return c.ID })
	c.webhooks, errs[4] = gather(h.store.Webhooks.All(tx), func(w store.Webhook) string { return w.ID })
	for _, err := range errs {
		if err != nil {
			return storedConfiguration{}, err
		}
	}
	delete(c.clients, store.ConsoleClient) // made at start, and not configured
	var b strings.Builder
	states(&b, "organization", c.organizations, func(o store.Organization) string { return itoa(int(o.Revision)) })
	states(&b, "domain", c.domains, func(d store.Domain) string { return string(plainText(textDomain(d))) })
	states(&b, "connection", c.connections, func(c store.Connection) string { return itoa(int(c.Revision)) })
	states(&b, "client", c.clients, func(c store.Client) string { return itoa(int(c.Revision)) })
	states(&b, "webhook", c.webhooks, func(w store.Webhook) string { return itoa(int(w.Revision)) })
	c.state = b.String()
	return c, nil
}

func gather[R any](all iter.Seq2[R, error], id func(R) string) (map[string]R, error) {
	out := map[string]R{}
	for rec, err := range all {
		if err != nil {
			return nil, err
		}
		out[id(rec)] = rec
	}
	return out, nil
}

func states[R any](b *strings.Builder, kind string, all map[string]R, of func(R) string) {
	for _, id := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(b, "%s %q %s\n", kind, id, of(all[id]))
	}
}

// document says all of it, sorted by id.
func (c storedConfiguration) document() configuration.Document {
	return configuration.Document{
		Version:       configuration.Version,
		Organizations: texts(c.organizations, textOrganization),
		Domains:       texts(c.domains, textDomain),
		Connections:   texts(c.connections, textConnection),
		Clients:       texts(c.clients, textClient),
		Webhooks:      texts(c.webhooks, textWebhook),
	}
}

func texts[R, T any](all map[string]R, text func(R) T) []T {
	out := make([]T, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		out = append(out, text(all[id]))
	}
	return out
}

// domainID is how plans name a claim.
func domainID(organization, name string) string { return organization + "/" + name }

func textOrganization(o store.Organization) configuration.Organization {
	t := configuration.Organization{Organization: o}
	t.Meta = store.Meta{}
	if o.Join != store.JoinOff || o.JoinActor != "" {
		t.JoinActor = &o.JoinActor
	}
	return t
}

func textDomain(d store.Domain) configuration.Domain {
	t := configuration.Domain{Organization: d.OrganizationID, Name: d.Name, State: configuration.StateClaimed, Join: d.Join, Approvers: d.Approvers}
	if d.State == store.DomainAsserted {
		t.State = configuration.StateAsserted
	}
	return t
}

func textConnection(c store.Connection) configuration.Connection {
	t := configuration.Connection{Connection: c, ClientSecret: kept(!c.ClientSecret.IsZero()), PrivateKey: kept(!c.PrivateKey.IsZero())}
	t.Domains = listed(c.Domains)
	return t
}

func textClient(c store.Client) configuration.Client {
	t := configuration.Client{Client: c, ClientSecret: kept(len(c.Secrets) > 0)}
	t.GrantTypes, t.Scopes = listed(c.GrantTypes), listed(c.Scopes)
	return t
}

func textWebhook(w store.Webhook) configuration.Webhook {
	t := configuration.Webhook{Webhook: w, Secret: kept(!w.Secret.IsZero())}
	t.Events = listed(w.Events)
	return t
}

func kept(there bool) *configuration.Secret {
	if !there {
		return nil
	}
	return &configuration.Secret{From: configuration.SecretKeep}
}

// plainText is a part of a document in its one spelling, to compare it.
func plainText[T any](text T) []byte {
	raw, err := json.Marshal(text)
	if err == nil {
		var settled T // an empty list that is left out can leave an empty object
		if err = json.Unmarshal(raw, &settled); err == nil {
			raw, err = json.Marshal(settled)
		}
	}
	if err != nil {
		return []byte(err.Error()) // like nothing else: it is written anew
	}
	return raw
}
