package admin

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/templates"
)

// checkOrganization judges an organization before it is kept: every field by
// itself, and inside the transaction what it names and what the caller may. All
// faults at once, each with the path of its field.
func (h *Handler) checkOrganization(tx store.Tx, p Principal, before, o store.Organization) error {
	f := organizationFaults(o)
	for _, check := range []func(store.Tx, store.Organization, store.Organization) (faults, error){h.checkNamed, h.checkPeople, h.checkRules} {
		more, err := check(tx, before, o)
		if err != nil {
			return err
		}
		f = append(f, more...)
	}
	if o.Disabled != before.Disabled && !Admin.Allows(p, Object{}) {
		f.add("disabled", "is for the platform's own people: sign_in_off keeps everybody of the organization out, too")
	}
	if !Owner.Allows(p, Object{o.ID}) {
		f = append(f, raisedRoles(before, o)...)
	}
	return f.join()
}

// organizationFaults are those that need no other record.
func organizationFaults(o store.Organization) (f faults) {
	f.slug("id", o.ID)
	f.text("title", o.Title, 200, true)
	f.text("contact", o.Contact, 500, false)
	f.joinPolicy("join", o.Join)
	if o.DefaultRole != "" {
		f.role("default_role", o.DefaultRole)
	}
	f.names("automatic_groups", o.AutomaticGroups, 100)
	f.once("automatic_clients", o.AutomaticClients)
	f.once("approvers", o.Approvers)
	if o.RequestDays < 0 || o.RequestDays > 90 {
		f.add("request_days", "must be from 1 to 90, or 0 for the server's default")
	}
	f.webURL("brand.logo", o.Brand.Logo)
	if o.Brand.Accent != "" {
		if problem, nearest := templates.CheckAccent(o.Brand.Accent); nearest != "" {
			f.add("brand.accent", "%s: the nearest colour that can be read is %s", problem, nearest)
		} else if problem != "" {
			f.add("brand.accent", "%s", problem)
		}
	}
	f.link("links.privacy", o.Links.Privacy)
	f.link("links.help", o.Links.Help)
	f.link("links.request_access", o.Links.RequestAccess)
	f.once("languages", o.Languages)
	for i, language := range o.Languages {
		f.language(indexed("languages", i), language)
	}
	f.texts(o.Texts)
	return f
}

// texts checks an organization's own wording.
func (f *faults) texts(texts []store.Text) {
	keys := []string{store.TextWaiting, store.TextRefused, store.TextNotAdmitted, store.TextAppMissing, store.TextExpired}
	seen := map[[2]string]bool{}
	for i, t := range texts {
		at := indexed("texts", i)
		if !slices.Contains(keys, t.Key) {
			f.add(at+".key", "must be one of %s", strings.Join(keys, ", "))
		}
		f.language(at+".language", t.Language)
		if seen[[2]string{t.Key, t.Language}] {
			f.add(at, "is there twice: one text for each key and language")
		}
		seen[[2]string{t.Key, t.Language}] = true
		f.text(at+".title", t.Title, 80, false)
		f.text(at+".sentence", t.Sentence, 500, false)
		f.text(at+".next", t.Next, 500, false)
		f.text(at+".contact", t.Contact, 200, false)
		if t.Title+t.Sentence+t.Next+t.Contact == "" {
			f.add(at, "says nothing: remove it, or write a title, sentence, next step or contact")
		}
	}
}

func (f *faults) language(path, v string) {
	if !slices.Contains(templates.Languages(), v) {
		f.add(path, "must be a language of our pages: %s", strings.Join(templates.Languages(), " or "))
	}
}

func (f *faults) role(path, v string) {
	if v != store.RoleUser && rank(v) == rankNone {
		f.add(path, "must be owner, admin or user")
	}
}

// names are short texts, each once.
func (f *faults) names(path string, list []string, most int) {
	for i, v := range list {
		f.text(indexed(path, i), v, most, true)
	}
	f.once(path, list)
}

func (f *faults) once(path string, list []string) {
	for i, v := range list {
		if slices.Index(list, v) < i {
			f.add(indexed(path, i), "is there twice")
		}
	}
}

// link is an address that people are offered: https, or mailto and an address
// without anything more, so that nobody words the mail for them (V3).
func (f *faults) link(path, v string) {
	address, mail := strings.CutPrefix(v, "mailto:")
	if !mail {
		f.webURL(path, v)
		return
	}
	if plain, err := url.PathUnescape(address); err != nil || plain != address {
		f.add(path, "must be mailto: and an e-mail address, without anything encoded")
	} else if _, err := profile.ParseEmail(address); err != nil || strings.Contains(address, "?") {
		f.add(path, "must be mailto: and one e-mail address, without subject or text")
	}
}

// checkNamed finds apps that do not exist, among those that were added.
func (h *Handler) checkNamed(tx store.Tx, before, o store.Organization) (f faults, err error) {
	for i, id := range o.AutomaticClients {
		if slices.Contains(before.AutomaticClients, id) {
			continue
		}
		ok, err := has(tx, h.store.Clients, id)
		if err != nil {
			return nil, err
		}
		if !ok {
			f.add(indexed("automatic_clients", i), "names a client that does not exist")
		}
	}
	return f, nil
}

// checkPeople finds approvers and a join actor who may not be it. Those who
// were named before stay: people leave, and that is no reason to refuse a
// change of something else.
func (h *Handler) checkPeople(tx store.Tx, before, o store.Organization) (f faults, err error) {
	if !slices.Equal(before.Approvers, o.Approvers) {
		if f, err = h.approversExist(tx, o.ID, o.Approvers); err != nil {
			return nil, err
		}
	}
	if o.JoinActor == "" || o.JoinActor == before.JoinActor || o.JoinActor == Operator {
		return f, nil
	}
	u, err := h.store.Users.Get(tx, o.JoinActor)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	m, err := h.store.Memberships.Get(tx, store.MembershipKey(o.ID, o.JoinActor))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	if u.Status != store.UserActive || max(rank(u.PlatformRole), rank(m.Role)) < rankAdmin {
		f.add("join_actor", "is no active admin or owner of this organization or of the platform")
	}
	return f, nil
}

// checkRules holds rules against the connections they name. Rules that were
// there before are not judged again by what has changed elsewhere.
func (h *Handler) checkRules(tx store.Tx, before, o store.Organization) (f faults, err error) {
	names := map[string]bool{}
	for i, r := range o.Rules {
		at := indexed("rules", i)
		f.text(at+".name", r.Name, 100, true)
		if names[r.Name] {
			f.add(at+".name", "is the name of another rule: audit and people tell rules apart by it")
		}
		names[r.Name] = true
		f.text(at+".value", r.Value, 500, true)
		f.joinPolicy(at+".join", r.Join)
		if r.Role != "" {
			f.role(at+".role", r.Role)
		}
		f.names(at+".groups", r.Groups, 100)
		f.once(at+".clients", r.Clients)
		if slices.ContainsFunc(before.Rules, func(b store.AdmissionRule) bool { return sameRule(b, r) }) {
			continue
		}
		for j, id := range r.Clients {
			if ok, err := has(tx, h.store.Clients, id); err != nil {
				return nil, err
			} else if !ok {
				f.add(indexed(at+".clients", j), "names a client that does not exist")
			}
		}
		c, err := h.store.Connections.Get(tx, r.ConnectionID)
		switch {
		case errors.Is(err, store.ErrNotFound) || err == nil && c.OrganizationID != o.ID:
			f.add(at+".connection", "names no connection of this organization")
		case err != nil:
			return nil, err
		case slices.Contains([]string{"first_name", "last_name", "display_name", "picture"}, r.Attribute):
			f.add(at+".attribute", "is what people choose for themselves: take one that the company sets, such as groups")
		case !selects(c, r.Attribute):
			f.add(at+".attribute", "is nothing that the connection's selectors read: %s", strings.Join(selected(c), ", "))
		}
	}
	return f, nil
}

func sameRule(a, b store.AdmissionRule) bool {
	return a.Name == b.Name && a.ConnectionID == b.ConnectionID && a.Attribute == b.Attribute && a.Value == b.Value && a.Join == b.Join &&
		a.Role == b.Role && slices.Equal(a.Groups, b.Groups) && slices.Equal(a.Clients, b.Clients)
}

// raisedRoles are roles above user that only an owner may have newcomers given.
func raisedRoles(before, o store.Organization) (f faults) {
	if rank(o.DefaultRole) > rankNone && o.DefaultRole != before.DefaultRole {
		f.add("default_role", "may be set above user by owners only")
	}
	for i, r := range o.Rules {
		if rank(r.Role) > rankNone && !slices.ContainsFunc(before.Rules, func(b store.AdmissionRule) bool { return sameRule(b, r) }) {
			f.add(indexed("rules", i)+".role", "may be set above user by owners only")
		}
	}
	return f
}

// selected are the attributes that a connection reads, as rules name them.
func selected(c store.Connection) (names []string) {
	s := c.Selectors
	if s.FederationID.Path == "" && s.Email.Path == "" && len(s.Custom) == 0 {
		s = profile.DefaultSelectors()
	}
	for _, one := range []struct {
		name     string
		selector profile.Selector
	}{
		{"federation_id", s.FederationID},
		{"first_name", s.FirstName},
		{"last_name", s.LastName},
		{"display_name", s.DisplayName},
		{"email", s.Email},
		{"phone", s.Phone},
	} {
		if one.selector.Path != "" {
			names = append(names, one.name)
		}
	}
	return append(names, slices.Sorted(maps.Keys(s.Custom))...)
}

func selects(c store.Connection, attribute string) bool {
	return slices.Contains(selected(c), attribute)
}
