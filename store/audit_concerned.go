package store

import (
	"errors"
	"strings"
)

// concerned is the organization that an entry is about: what its detail names,
// else the organization of its target, else of the one organization the person
// it is about belongs to. "" is nobody's but the platform's.
func (s *Store) concerned(tx Tx, e AuditEntry) (string, error) {
	kind, id, _ := strings.Cut(e.Target, "/")
	switch kind {
	case "organization":
		return id, nil
	case "domain", "membership", "member", "local_accounts":
		organization, _, _ := strings.Cut(id, "/")
		return organization, nil
	}
	if named := detailOrganization(e.Detail); named != "" {
		return named, nil
	}
	var organization string
	var err error
	switch kind {
	case "connection":
		organization, err = organizationOf(s.Connections, tx, id, func(c *Connection) string { return c.OrganizationID })
	case "access_request":
		organization, err = organizationOf(s.AccessRequests, tx, id, func(r *AccessRequest) string { return r.OrganizationID })
	case "invitation":
		organization, err = organizationOf(s.Invitations, tx, id, func(i *Invitation) string { return i.OrganizationID })
	case "webhook":
		organization, err = organizationOf(s.Webhooks, tx, id, func(w *Webhook) string { return w.OrganizationID })
	case "grant":
		organization, err = organizationOf(s.Grants, tx, id, func(g *Grant) string { return g.OrganizationID })
	case "user":
		return s.onlyOrganization(tx, id)
	}
	if organization != "" || err != nil {
		return organization, err
	}
	if user, _ := e.Detail["user"].(string); user != "" {
		return s.onlyOrganization(tx, user)
	}
	return "", nil
}

// detailOrganization is the organization that a detail names: by itself, or
// among the fields of what was there before or after.
func detailOrganization(detail map[string]any) string {
	if o, ok := detail["organization"].(string); ok {
		return o
	}
	for _, side := range []string{"after", "before"} {
		fields, _ := detail[side].(map[string]any)
		if o, ok := fields["organization"].(string); ok {
			return o
		}
	}
	return ""
}

func organizationOf[T any](c *Collection[T], tx Tx, id string, organization func(*T) string) (string, error) {
	rec, err := c.Peek(tx, id)
	if err != nil || rec == nil {
		return "", err
	}
	return organization(rec), nil
}

// onlyOrganization is the one a person belongs to. Who belongs to several is
// the platform's: what happens to their account is no single company's to read.
func (s *Store) onlyOrganization(tx Tx, user string) (string, error) {
	if user == "" {
		return "", nil
	}
	found, _, err := s.Memberships.ByIndex(tx, "user", user, Page{Limit: 2})
	if errors.Is(err, ErrKey) || len(found) != 1 {
		return "", err
	}
	return found[0].OrganizationID, err
}
