package admin

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"gatehouse/store"
)

// gate is what a request has to pass: the level and scope of its route, and
// what it acts on. It travels with the Principal, because the same question is
// asked again inside every change (B10).
type gate struct {
	level Level
	scope Scope
	reads bool
	tag   string // of the operation, for the scopes of API tokens
	kind  string // of the object (byObject)
	id    string // its name in the path; of inOrganization and byBody the organization
}

// gateOf is the gate of a request on a route.
func gateOf(route *Route, r *http.Request) gate {
	g := gate{level: route.Level, scope: route.In, reads: safe(route.Method), tag: route.tag}
	switch route.In {
	case inOrganization:
		g.id = r.PathValue("organization")
	case byObject:
		kind, wildcard := objectIn(route.Path)
		g.kind, g.id = kind, r.PathValue(wildcard)
	}
	return g
}

// within binds what the caller is about to change to an organization: for
// routes whose path does not name it. The change checks the caller's role there.
func (p Principal) within(organization string) Principal {
	p.gate.scope, p.gate.id, p.gate.reads = inOrganization, organization, false
	return p
}

// about binds it to an object, by its kind (see access_objects.go) and id.
func (p Principal) about(kind, id string) Principal {
	p.gate.scope, p.gate.kind, p.gate.id, p.gate.reads = byObject, kind, id, false
	return p
}

// admit is the one question: may this caller pass this gate? nil, or
// errUnauthorized, errForbidden, or ErrNotFound for the objects of other
// organizations, so that nobody learns which ids exist.
func (h *Handler) admit(tx store.Tx, p Principal, g gate, changing bool) error {
	switch {
	case g.level == Anyone:
		return nil
	case !p.SignedIn():
		return errUnauthorized
	case !p.scopeAllows(g):
		return errScope
	case g.level.Allows(p, Object{}):
		return nil
	case g.scope == inPlatform || p.highest() < g.level.rank():
		return errForbidden
	}
	var of belonging
	switch g.scope {
	case anywhere, byBody: // what is changed has to be named first
		if changing {
			return errForbidden
		}
		return nil
	case inOrganization:
		of.organizations = []string{g.id}
	default:
		var err error
		if of, err = h.belongingTo(tx, g.kind, g.id); err != nil {
			return err
		}
	}
	return g.judge(p, of)
}

// allowed asks the gate of a caller that was bound to an object: for handlers
// that look at the object before they change it.
func (h *Handler) allowed(ctx context.Context, p Principal) error {
	return h.store.View(ctx, func(tx store.Tx) error { return h.admit(tx, p, p.gate, true) })
}

// judge holds the caller's roles against the organizations an object belongs to.
func (g gate) judge(p Principal, of belonging) error {
	if of.everyones && g.reads {
		return nil
	}
	known, some, all := false, false, len(of.organizations) > 0
	for _, organization := range of.organizations {
		ok := g.level.Allows(p, Object{organization})
		known = known || p.rankIn(organization) > rankNone
		some, all = some || ok, all && ok
	}
	switch {
	case all, some && (g.reads || !of.jointly):
		return nil
	case known:
		return errForbidden
	}
	return store.ErrNotFound
}

// sameStanding reports whether nothing that rights depend on has changed.
func (p Principal) sameStanding(q Principal) bool {
	return p.UserID == q.UserID && p.Role == q.Role && maps.Equal(p.companies, q.companies) && slices.Equal(p.scopes, q.scopes)
}

// organizationsAt are the organizations in which the caller has a level, in
// order. Platform people are not asked: they have all.
func (p Principal) organizationsAt(l Level) []string {
	var out []string
	for _, id := range slices.Sorted(maps.Keys(p.companies)) {
		if p.companies[id] >= l.rank() {
			out = append(out, id)
		}
	}
	return out
}

// sees reports whether the caller may be shown what belongs to an organization,
// at the level of the route.
func (p Principal) sees(organization string) bool {
	return p.gate.level.Allows(p, Object{organization})
}

// companiesOf reads the caller's standing in organizations: admins and owners
// by their role, and plain members who are named as approvers (of the
// organization or of one of its domains). An approver who is no member any
// more approves nothing.
func (h *Handler) companiesOf(tx store.Tx, userID string) (map[string]int, error) {
	var out map[string]int
	for m, err := range h.store.Memberships.AllByIndex(tx, "user", userID) {
		if err != nil {
			return nil, err
		}
		r := rank(m.Role)
		if r == rankNone {
			approves, err := h.approves(tx, userID, m.OrganizationID)
			if err != nil {
				return nil, err
			}
			if approves {
				r = rankApprover
			}
		}
		if r > rankNone {
			if out == nil {
				out = map[string]int{}
			}
			out[m.OrganizationID] = r
		}
	}
	return out, nil
}

func (h *Handler) approves(tx store.Tx, userID, organization string) (bool, error) {
	o, err := h.store.Organizations.Get(tx, organization)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil || slices.Contains(o.Approvers, userID) {
		return err == nil, err
	}
	for d, err := range h.store.Domains.AllByIndex(tx, "organization", organization) {
		if err != nil {
			return false, err
		}
		if slices.Contains(d.Approvers, userID) {
			return true, nil
		}
	}
	return false, nil
}
