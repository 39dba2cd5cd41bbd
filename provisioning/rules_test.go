package provisioning

import (
	"slices"
	"strings"
	"testing"

	"gatehouse/store"
)

// organization changes acme.
func (w *world) organization(change func(*store.Organization)) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		o, err := w.store.Organizations.Get(tx, "acme")
		if change(&o); err == nil {
			err = w.store.Organizations.Put(tx, o)
		}
		return err
	})
}

func (w *world) client(change func(*store.Client)) {
	w.t.Helper()
	w.update(func(tx store.Tx) error {
		c, err := w.store.Clients.Get(tx, "app")
		if change(&c); err == nil {
			err = w.store.Clients.Put(tx, c)
		}
		return err
	})
}

func (w *world) membership(user string) (m store.Membership) {
	w.t.Helper()
	w.view(func(tx store.Tx) (err error) {
		m, err = w.store.Memberships.Get(tx, store.MembershipKey("acme", user))
		return err
	})
	return m
}

// claims of somebody with groups.
func grouped(sub string, groups ...string) map[string]any {
	return map[string]any{"sub": sub, "email": sub + "@acme.test", "email_verified": true, "groups": groups}
}

func TestG1_RolesComeFromExactRulesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinRequest)
	w.organization(func(o *store.Organization) {
		o.AutomaticClients = []string{"wiki"}
		o.DefaultRole = store.RoleOwner // counts for approvals, where somebody looks
		o.Rules = []store.AdmissionRule{
			{Name: "other-connection", ConnectionID: "elsewhere", Attribute: "teams", Value: "ops", Join: store.JoinAutomatic, Role: store.RoleOwner},
			{Name: "no-value", ConnectionID: "acme", Attribute: "teams", Join: store.JoinAutomatic, Role: store.RoleOwner},
			{Name: "no-attribute", ConnectionID: "acme", Value: "ops", Join: store.JoinAutomatic, Role: store.RoleOwner},
			{Name: "blocked", ConnectionID: "acme", Attribute: "teams", Value: "leavers", Join: store.JoinOff},
			{Name: "ops", ConnectionID: "acme", Attribute: "teams", Value: "ops", Join: store.JoinAutomatic, Role: store.RoleAdmin, Groups: []string{"operators"}, Clients: []string{"pager"}},
			{Name: "staff", ConnectionID: "acme", Attribute: "teams", Value: "staff", Join: store.JoinAutomatic},
			{Name: "odd", ConnectionID: "acme", Attribute: "teams", Value: "odd", Join: store.JoinAutomatic, Role: "superuser"},
			{Name: "typo", ConnectionID: "acme", Attribute: "teams", Value: "typo", Join: "Automatic", Role: store.RoleOwner},
		}
	})
	for _, c := range []struct {
		name   string
		groups []string
		kind   Kind
		reason Reason
		role   string
		by     string
	}{
		{"exact value", []string{"x", "ops"}, Created, "", store.RoleAdmin, "rule:ops"},
		{"a rule without a role", []string{"staff"}, Created, "", store.RoleUser, "rule:staff"},
		{"an unknown role is user", []string{"odd"}, Created, "", store.RoleUser, "rule:odd"},
		{"an unknown policy is off", []string{"typo"}, Refused, ReasonJoinOff, "", ""},
		{"another spelling", []string{"Ops"}, Pending, "", "", ""},
		{"part of it", []string{"ops-emea", "devops", "ops "}, Pending, "", "", ""},
		{"joined by a comma", []string{"ops,staff"}, Pending, "", "", ""},
		{"nothing", nil, Pending, "", "", ""},
		{"the first rule that matches", []string{"ops", "leavers"}, Refused, ReasonJoinOff, "", ""},
	} {
		sub := strings.ReplaceAll(c.name, " ", "-")
		w.person("acme", sub, grouped(sub, c.groups...))
		d := w.login("acme", sub)
		if d.Kind != c.kind || d.Reason != c.reason {
			t.Errorf("%s: got %s %s (%s), want %s %s", c.name, d.Kind, d.Reason, d.Why, c.kind, c.reason)
			continue
		}
		if c.kind != Created {
			continue
		}
		m, u := w.membership(d.UserID), w.user(d.UserID)
		if m.Role != c.role || u.CreatedBy != c.by || !slices.Contains(m.Groups, "newcomers") || !slices.Contains(m.Clients, "wiki") || u.PlatformRole != "" {
			t.Errorf("%s: %+v, created by %s", c.name, m, u.CreatedBy)
		}
		if c.by == "rule:ops" && (!slices.Contains(m.Groups, "operators") || !slices.Contains(m.Clients, "pager") || !strings.Contains(d.Why, "rule ops")) {
			t.Errorf("%s: %+v, why %q", c.name, m, d.Why)
		}
	}
	// Without a rule nobody gets more than user, whatever the default role.
	w.organization(func(o *store.Organization) { o.Rules, o.Join = nil, store.JoinAutomatic })
	w.person("acme", "plain", grouped("plain", "ops", "owner", "admin"))
	if d := w.wantKind(w.login("acme", "plain"), Created, ""); w.membership(d.UserID).Role != store.RoleUser {
		t.Errorf("role %s", w.membership(d.UserID).Role)
	}
}

// G3: what a rule gave is not given again, and not taken for granted: rules
// speak about newcomers only, and a missing claim matches nothing.
func TestG3_MissingClaimIsLeastPrivilege(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	w.organization(func(o *store.Organization) {
		o.Rules = []store.AdmissionRule{
			{Name: "empty", ConnectionID: "acme", Attribute: "phone", Value: "", Join: store.JoinAutomatic, Role: store.RoleOwner},
			{Name: "unknown", ConnectionID: "acme", Attribute: "no_such", Value: "x", Join: store.JoinAutomatic, Role: store.RoleOwner},
			{Name: "ops", ConnectionID: "acme", Attribute: "teams", Value: "ops", Join: store.JoinAutomatic, Role: store.RoleAdmin},
		}
	})
	w.person("acme", "none", map[string]any{"sub": "none", "email": "none@acme.test", "email_verified": true})
	w.wantKind(w.login("acme", "none"), Refused, ReasonJoinOff)
	// An address that is not the person's opens no rule.
	w.organization(func(o *store.Organization) {
		o.Rules = append(o.Rules, store.AdmissionRule{Name: "ceo", ConnectionID: "acme", Attribute: "email", Value: "ceo@acme.test", Join: store.JoinAutomatic, Role: store.RoleOwner})
	})
	w.person("acme", "liar", map[string]any{"sub": "liar", "email": "ceo@acme.test", "email_verified": false})
	w.wantKind(w.login("acme", "liar"), Pending, "")
	// A member keeps the role admins gave: rules neither raise nor keep it.
	w.person("acme", "op", grouped("op", "ops"))
	d := w.wantKind(w.login("acme", "op"), Created, "")
	w.update(func(tx store.Tx) error {
		m, err := w.store.Memberships.Get(tx, store.MembershipKey("acme", d.UserID))
		m.Role = store.RoleUser
		if err == nil {
			err = w.store.Memberships.Put(tx, m)
		}
		return err
	})
	w.wantKind(w.login("acme", "op"), SignedIn, "")
	if m := w.membership(d.UserID); m.Role != store.RoleUser {
		t.Errorf("signing in gave the role %s back", m.Role)
	}
}

func TestEffectiveJoinPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, store.JoinOff)
	set := func(domain, connection store.JoinPolicy) {
		t.Helper()
		w.update(func(tx store.Tx) error {
			d, err := w.store.Domains.Get(tx, store.DomainKey("acme.test", "acme"))
			if d.Join = domain; err == nil {
				err = w.store.Domains.Put(tx, d)
			}
			return err
		})
		c := w.connection("acme")
		c.Join = connection
		w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	}
	for i, c := range []struct {
		domain, connection store.JoinPolicy
		kind               Kind
	}{
		{"", "", Refused},
		{"", store.JoinRequest, Pending},
		{store.JoinAutomatic, store.JoinRequest, Created},
		{store.JoinOff, store.JoinAutomatic, Refused},
		{"typo", store.JoinAutomatic, Refused},
	} {
		set(c.domain, c.connection)
		sub := string(rune('a' + i))
		w.person("acme", sub, grouped(sub))
		if d := w.login("acme", sub); d.Kind != c.kind {
			t.Errorf("domain %q, connection %q: %s %s, want %s", c.domain, c.connection, d.Kind, d.Reason, c.kind)
		}
	}
	// A domain that is not proven has no say.
	set(store.JoinAutomatic, "")
	w.update(func(tx store.Tx) error {
		return w.store.Domains.Insert(tx, store.Domain{Name: "eu.acme.test", OrganizationID: "acme", State: store.DomainPending, Join: store.JoinOff})
	})
	c := w.connection("acme")
	c.Domains = []string{"acme.test", "*.acme.test"}
	w.update(func(tx store.Tx) error { return w.store.Connections.Put(tx, c) })
	w.person("acme", "sub", map[string]any{"sub": "sub", "email": "x@eu.acme.test", "email_verified": true})
	w.wantKind(w.login("acme", "sub"), Created, "")
}
