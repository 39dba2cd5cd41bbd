package admin_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/admin"
	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/store"
)

// twoCompanies keeps two organizations with one of everything. Whatever belongs
// to globex says so in its id or name: who may not see globex must not meet
// that word.
func (s *site) twoCompanies() {
	s.t.Helper()
	for _, org := range []string{"acme", "globex"} {
		s.oneOfEverything(org)
	}
	for _, org := range []string{"acme", "globex"} { // entries 1 and 2
		if err := s.store.Change(s.t.Context(), store.Actor{UserID: "system", Via: "test"}, func(ch *store.Change) error {
			return ch.Record("connection.test", "connection/"+org, nil)
		}); err != nil {
			s.t.Fatal(err)
		}
	}
}

func sampleWords(org string) string {
	return map[string]string{"acme": "amber-river-otter", "globex": "quick-maple-finch"}[org]
}

func (s *site) oneOfEverything(org string) {
	s.t.Helper()
	now := s.clock.now()
	words := sampleWords(org)
	conn := store.Connection{
		ID: org, OrganizationID: org, Kind: store.KindOIDC, Title: "Sign-in of " + org, Issuer: "https://idp." + org + ".example",
		ClientID: "at-" + org, ClientAuth: store.AuthNone, Domains: []string{org + ".example"}, Scopes: []string{"openid"}, Selectors: profile.DefaultSelectors(),
	}
	attributes := profile.Attributes{DisplayName: "Person of " + org, Email: "person@" + org + ".example"}
	s.update(func(tx store.Tx) error {
		for _, err := range []error{
			s.store.Record(tx, store.Actor{UserID: "operator", Via: "cli"}, "organization.create", "organization/"+org, nil),
			s.store.Organizations.Insert(tx, store.Organization{ID: org, Title: "Company " + org, Join: store.JoinRequest}),
			s.store.Domains.Insert(tx, store.Domain{Name: org + ".example", OrganizationID: org, State: store.DomainAsserted}),
			s.store.Connections.Insert(tx, conn),
			s.store.Clients.Insert(tx, store.Client{
				ID: org + "-app", Name: "App of " + org, Type: store.ClientNative, AuthMethod: "none", GrantTypes: []string{"authorization_code"},
				RedirectURIs: []string{"com.example." + org + ":/cb"}, Organizations: []string{org},
			}),
			s.store.Users.Insert(tx, store.User{ID: "person-" + org, Status: store.UserActive, Attributes: attributes}),
			s.store.Memberships.Insert(tx, store.Membership{OrganizationID: org, UserID: "person-" + org, Role: store.RoleUser}),
			s.store.Identities.Insert(tx, store.Identity{ConnectionID: org, Issuer: conn.Issuer, Subject: "1", UserID: "person-" + org, Attributes: attributes}),
			s.store.Sessions.Insert(tx, store.Session{
				KeyHash: store.HashToken("session-" + org), SID: "session-" + org, UserID: "person-" + org, ConnectionID: org, OrganizationID: org,
				AuthTime: now, CreatedAt: now, LastSeenAt: now, IdleExpiresAt: now.Add(time.Hour), ExpiresAt: now.Add(time.Hour),
			}),
			s.store.Grants.Insert(tx, store.Grant{
				ID: "grant-" + org, UserID: "person-" + org, ClientID: org + "-app", ConnectionID: org, OrganizationID: org,
				CreatedAt: now, ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(time.Hour),
			}),
			s.store.AccessRequests.Insert(tx, store.AccessRequest{
				ID: "request-" + org, OrganizationID: org, ConnectionID: org, Issuer: conn.Issuer, Subject: "2", ClientID: org + "-app",
				State: store.RequestPending, Snapshot: attributes, ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(24 * time.Hour),
			}),
			s.store.Invitations.Insert(tx, store.Invitation{
				ID: "invitation-" + org, OrganizationID: org, Email: "new@" + org + ".example", Role: store.RoleUser, State: store.InvitationOpen,
				Hash: store.HashToken("invitation-" + org), ExpiresAt: now.Add(time.Hour), KeepUntil: now.Add(time.Hour),
			}),
			s.store.Mails.Insert(tx, store.Mail{ID: "mail-" + org, Kind: "request_refused", To: "person@" + org + ".example", CreatedAt: now, NextAt: now, ExpiresAt: now.Add(time.Hour)}),
			s.store.Webhooks.Insert(tx, store.Webhook{ID: "webhook-" + org, OrganizationID: org, URL: "https://" + org + ".example/hook", Events: []string{store.EventApproved}}),
			s.store.Deliveries.Insert(tx, store.Delivery{ID: "delivery-" + org, WebhookID: "webhook-" + org, Kind: store.EventApproved, Payload: []byte("{}"), State: store.DeliveryFailed, CreatedAt: now, ExpiresAt: now.Add(time.Hour)}),
		} {
			if err != nil {
				return err
			}
		}
		return nil
	})
	r := s.store.Traces.Recorder()
	r.Begin(words, now)
	ctx := store.WithTrace(context.Background(), r)
	r.About(store.About{Client: org + "-app", Connection: org, Organization: org, User: "person-" + org})
	store.Step(ctx, store.StepLeave, store.Host("host", conn.Issuer)).Done(nil)
	r.Outcome(store.OutcomeSignedIn)
	r.Close()
	s.tests.Add(rehearsal.Draft{Words: words, Connection: conn, ClientID: org + "-app"})
}

// sampleObject is what a wildcard of a path is filled with: the object of an
// organization, or ("") one that does not exist. ok is false for a wildcard
// that has no sample yet: add it here, and make the object in oneOfEverything.
func sampleObject(wildcard, org string) (value string, ok bool) {
	missing := org == ""
	if missing {
		org = "missing"
	}
	switch wildcard {
	case "{organization}", "{connection}":
		return org, true
	case "{domain}":
		return org + ".example", true
	case "{client}":
		return org + "-app", true
	case "{user}", "{member}":
		return "person-" + org, true
	case "{session}":
		return "session-" + org, true
	case "{grant}":
		return "grant-" + org, true
	case "{request}":
		return "request-" + org, true
	case "{invitation}":
		return "invitation-" + org, true
	case "{entry}": // the first of each organization's entries
		if missing {
			return "999999", true
		}
		return map[string]string{"acme": "1", "globex": "2"}[org], true
	case "{webhook}":
		return "webhook-" + org, true
	case "{delivery}":
		return "delivery-" + org, true
	case "{words}":
		if missing {
			return "no-such-words", true
		}
		return sampleWords(org), true
	case "{preset}":
		return "openid", true
	case "{token}":
		return strings.Repeat("a", 24), true
	case "{link}":
		return strings.Repeat("A", 43), true
	case "{algorithm}":
		return "ES256", true
	case "{language}":
		return "en", true
	case "{kind}":
		return "request_waiting", true
	case "{mail}":
		return "mail-" + org, true
	case "{number}", "{key}", "{factor}", "{passkey}", "{seq}", "{rule}":
		return "1", true
	case "{$}":
		return "", true
	}
	return "", false
}

// fillFor puts the objects of an organization into a path.
func fillFor(t *testing.T, pattern, org string) string {
	t.Helper()
	for {
		i := strings.IndexByte(pattern, '{')
		if i < 0 {
			return pattern
		}
		j := i + strings.IndexByte(pattern[i:], '}')
		value, ok := sampleObject(pattern[i:j+1], org)
		if !ok {
			t.Fatalf("route %s: there is no sample for %s: add one to sampleObject", pattern, pattern[i:j+1])
		}
		pattern = pattern[:i] + value + pattern[j+1:]
	}
}

// aboutObject reports whether a route's path names something that belongs to an
// organization.
func aboutObject(r admin.Route) bool {
	return r.In.String() == "object" || strings.Contains(r.Path, "{organization}")
}

// member makes a user with a role in an organization ("" for none there).
func (s *site) member(org, role string) store.User {
	s.t.Helper()
	u := s.user("")
	s.update(func(tx store.Tx) error {
		return s.store.Memberships.Insert(tx, store.Membership{OrganizationID: org, UserID: u.ID, Role: role})
	})
	return u
}

// approver makes a member who is named as approver of an organization.
func (s *site) approver(org string) store.User {
	s.t.Helper()
	u := s.member(org, store.RoleUser)
	s.update(func(tx store.Tx) error {
		o, err := s.store.Organizations.Get(tx, org)
		if err != nil {
			return err
		}
		o.Approvers = append(o.Approvers, u.ID)
		return s.store.Organizations.Put(tx, o)
	})
	return u
}
