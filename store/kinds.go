package store

import (
	"strings"
	"time"
)

// declare says how each kind of record is kept: its key, what it is found by,
// what is sealed in it and when it may be swept. Every index costs each write
// of its record: an index needs a reader.
func (s *Store) declare() {
	s.Organizations = collect(s, Schema[Organization]{
		Bucket: "organizations", Tombstones: true, Clone: cloneOrganization,
		Key:  func(o *Organization) string { return o.ID },
		Meta: func(o *Organization) *Meta { return &o.Meta },
	})
	s.Domains = collect(s, Schema[Domain]{
		Bucket: "domains", Clone: cloneDomain,
		Key:  func(d *Domain) string { return DomainKey(d.Name, d.OrganizationID) },
		Meta: func(d *Domain) *Meta { return &d.Meta },
		Indexes: []Index[Domain]{
			{Name: "name", Values: func(d *Domain) []string { return []string{d.Name} }},
			{Name: "organization", Values: func(d *Domain) []string { return []string{d.OrganizationID} }},
		},
	})
	s.Connections = collect(s, Schema[Connection]{
		Bucket: "connections", Tombstones: true, Clone: cloneConnection,
		Key:  func(c *Connection) string { return c.ID },
		Meta: func(c *Connection) *Meta { return &c.Meta },
		Indexes: []Index[Connection]{
			{Name: "organization", Values: func(c *Connection) []string { return []string{c.OrganizationID} }},
			{Name: "domain", Values: func(c *Connection) []string { return c.Domains }},
		},
		Sealed: []SealedField[Connection]{
			{Name: "client_secret", Field: func(c *Connection) *Sealed { return &c.ClientSecret }},
			{Name: "private_key", Field: func(c *Connection) *Sealed { return &c.PrivateKey }},
		},
	})
	s.Clients = collect(s, Schema[Client]{
		Bucket: "clients", Tombstones: true, Clone: cloneClient,
		Key:     func(c *Client) string { return c.ID },
		Meta:    func(c *Client) *Meta { return &c.Meta },
		Indexes: []Index[Client]{{Name: "origin", Values: func(c *Client) []string { return c.Origins }}},
	})
	s.Users = collect(s, Schema[User]{
		Bucket: "users", Tombstones: true, Clone: cloneUser,
		Key:  func(u *User) string { return u.ID },
		Meta: func(u *User) *Meta { return &u.Meta },
		Indexes: []Index[User]{
			{Name: "platform_role", Values: func(u *User) []string { return present(u.PlatformRole) }},
			{Name: "search", Prefix: true, Values: func(u *User) []string { return SearchTerms(u.Attributes) }},
		},
		Follow: s.followUser,
	})
	s.Identities = collect(s, Schema[Identity]{
		Bucket: "identities", Clone: cloneIdentity,
		Key:  func(i *Identity) string { return IdentityKey(i.ConnectionID, i.Issuer, i.Subject) },
		Meta: func(i *Identity) *Meta { return &i.Meta },
		Indexes: []Index[Identity]{
			{Name: "user", Values: func(i *Identity) []string { return []string{i.UserID} }},
			{Name: "connection", Values: func(i *Identity) []string { return []string{i.ConnectionID} }},
		},
	})
	s.Memberships = collect(s, Schema[Membership]{
		Bucket: "memberships", Clone: cloneMembership,
		Key:  func(m *Membership) string { return MembershipKey(m.OrganizationID, m.UserID) },
		Meta: func(m *Membership) *Meta { return &m.Meta },
		Indexes: []Index[Membership]{
			{Name: "user", Values: func(m *Membership) []string { return []string{m.UserID} }},
			{Name: "organization", Values: func(m *Membership) []string { return []string{m.OrganizationID} }},
			// Few: plain users are left out.
			{Name: "organization_role", Values: func(m *Membership) []string {
				if m.Role == RoleUser || m.Role == "" {
					return nil
				}
				return []string{OrganizationRole(m.OrganizationID, m.Role)}
			}},
			{Name: "search", Prefix: true, Values: termsWithin},
		},
		Fill: s.fillMembership,
	})
	s.Consents = collect(s, Schema[Consent]{
		Bucket: "consents",
		Key:    func(c *Consent) string { return ConsentKey(c.UserID, c.ClientID) },
	})
	s.AccessRequests = collect(s, Schema[AccessRequest]{
		Bucket:  "access_requests",
		Key:     func(r *AccessRequest) string { return r.ID },
		Meta:    func(r *AccessRequest) *Meta { return &r.Meta },
		Expires: func(r *AccessRequest) time.Time { return r.KeepUntil },
		Indexes: []Index[AccessRequest]{
			{Name: "state", Values: func(r *AccessRequest) []string { return []string{r.State} }},
			{Name: "organization_state", Values: func(r *AccessRequest) []string { return []string{OrganizationState(r.OrganizationID, r.State)} }},
			{Name: "connection_state", Values: func(r *AccessRequest) []string { return []string{ConnectionState(r.ConnectionID, r.State)} }},
			// One waiting request per identity.
			{Name: "pending_identity", Unique: true, Values: func(r *AccessRequest) []string {
				if r.State != RequestPending || r.Kind != RequestJoin {
					return nil
				}
				return []string{IdentityKey(r.ConnectionID, r.Issuer, r.Subject)}
			}},
			// One waiting request per person and app.
			{Name: "pending_app", Unique: true, Values: func(r *AccessRequest) []string {
				if r.State != RequestPending || r.Kind != RequestApp {
					return nil
				}
				return []string{UserClient(r.UserID, r.ClientID)}
			}},
			// All requests of a person for an app.
			{Name: "app", Values: func(r *AccessRequest) []string {
				if r.Kind != RequestApp {
					return nil
				}
				return []string{UserClient(r.UserID, r.ClientID)}
			}},
			// Who was refused not long ago is not queued again.
			{Name: "refused_identity", Values: func(r *AccessRequest) []string {
				if r.State != RequestRefused || r.Kind != RequestJoin {
					return nil
				}
				return []string{IdentityKey(r.ConnectionID, r.Issuer, r.Subject)}
			}},
		},
	})
	s.Sessions = collect(s, Schema[Session]{
		Bucket: "sessions",
		Key:    func(x *Session) string { return x.KeyHash },
		Indexes: []Index[Session]{
			{Name: "user", Values: func(x *Session) []string { return []string{x.UserID} }},
			{Name: "sid", Unique: true, Values: func(x *Session) []string { return []string{x.SID} }},
		},
		Expires: func(x *Session) time.Time { return x.ExpiresAt },
	})
	s.UsedLogins = collect(s, Schema[UsedLogin]{
		Bucket:  "used_logins",
		Key:     func(u *UsedLogin) string { return u.ID },
		Expires: func(u *UsedLogin) time.Time { return u.ExpiresAt },
	})
	s.Grants = collect(s, Schema[Grant]{
		Bucket: "grants", Clone: cloneGrant, // read three times for each refresh
		Key: func(g *Grant) string { return g.ID },
		Indexes: []Index[Grant]{
			{Name: "user", Values: func(g *Grant) []string { return []string{g.UserID} }},
			{Name: "session", Values: func(g *Grant) []string { return present(g.SessionKey) }},
		},
		Expires: func(g *Grant) time.Time { return g.KeepUntil },
	})
	s.UpstreamTokens = collect(s, Schema[UpstreamToken]{
		Bucket:  "upstream_tokens",
		Key:     func(u *UpstreamToken) string { return u.GrantID },
		Sealed:  []SealedField[UpstreamToken]{{Name: "refresh", Field: func(u *UpstreamToken) *Sealed { return &u.Refresh }}},
		Expires: func(u *UpstreamToken) time.Time { return u.ExpiresAt },
	})
	s.Codes = collect(s, Schema[Code]{
		Bucket:  "codes",
		Key:     func(c *Code) string { return c.Hash },
		Expires: func(c *Code) time.Time { return c.KeepUntil },
	})
	s.AccessTokens = collect(s, Schema[AccessToken]{
		Bucket:  "access_tokens",
		Key:     func(a *AccessToken) string { return a.Key },
		Expires: func(a *AccessToken) time.Time { return a.ExpiresAt },
	})
	s.SigningKeys = collect(s, Schema[SigningKey]{
		Bucket: "signing_keys",
		Key:    func(k *SigningKey) string { return k.ID },
		Sealed: []SealedField[SigningKey]{{Name: "private", Field: func(k *SigningKey) *Sealed { return &k.Private }}},
	})
	s.Passwords = collect(s, Schema[Password]{
		Bucket:  "passwords",
		Key:     func(p *Password) string { return p.UserID },
		Indexes: []Index[Password]{{Name: "login", Unique: true, Values: func(p *Password) []string { return []string{p.Login} }}},
	})
	s.APITokens = collect(s, Schema[APIToken]{
		Bucket:  "api_tokens",
		Key:     func(t *APIToken) string { return t.Hash },
		Indexes: []Index[APIToken]{{Name: "user", Values: func(t *APIToken) []string { return []string{t.UserID} }}},
		Expires: func(t *APIToken) time.Time { return t.ExpiresAt },
	})
	s.SetupLinks = collect(s, Schema[SetupLink]{
		Bucket:  "setup_links",
		Key:     func(l *SetupLink) string { return l.Hash },
		Expires: func(l *SetupLink) time.Time { return l.ExpiresAt },
	})
	s.declareAdmission()
	s.declareFactors()
	s.declareNotices()
}

// declareAdmission: what leads to a decision about a person.
func (s *Store) declareAdmission() {
	s.DecisionLinks = collect(s, Schema[DecisionLink]{
		Bucket:  "decision_links",
		Key:     func(l *DecisionLink) string { return l.Hash },
		Expires: func(l *DecisionLink) time.Time { return l.ExpiresAt },
	})
	s.Invitations = collect(s, Schema[Invitation]{
		Bucket:  "invitations",
		Key:     func(i *Invitation) string { return i.ID },
		Meta:    func(i *Invitation) *Meta { return &i.Meta },
		Expires: func(i *Invitation) time.Time { return i.KeepUntil },
		Indexes: []Index[Invitation]{
			{Name: "organization", Values: func(i *Invitation) []string { return []string{i.OrganizationID} }},
			{Name: "state", Values: func(i *Invitation) []string { return []string{i.State} }},
			{Name: "organization_state", Values: func(i *Invitation) []string { return []string{OrganizationState(i.OrganizationID, i.State)} }},
			{Name: "sent", Values: func(i *Invitation) []string { return []string{InvitationSent(i.OrganizationID, i.SentAt)} }},
			{Name: "hash", Unique: true, Values: func(i *Invitation) []string { return present(i.Hash) }},
			{Name: "open_to", Unique: true, Values: func(i *Invitation) []string {
				if i.State != InvitationOpen {
					return nil
				}
				return []string{InvitationTo(i.OrganizationID, i.Email)}
			}},
		},
	})
	s.LoginCounts = collect(s, Schema[LoginCount]{
		Bucket:  "login_counts",
		Key:     func(c *LoginCount) string { return LoginCountKey(c.Hour, c.OrganizationID, c.ConnectionID) },
		Expires: func(c *LoginCount) time.Time { return c.ExpiresAt },
	})
	s.Answers = collect(s, Schema[IdempotentAnswer]{
		Bucket:  "answers",
		Key:     func(a *IdempotentAnswer) string { return a.Key },
		Indexes: []Index[IdempotentAnswer]{{Name: "caller", Values: func(a *IdempotentAnswer) []string { return []string{a.Caller} }}},
		Sealed:  []SealedField[IdempotentAnswer]{{Name: "body", Field: func(a *IdempotentAnswer) *Sealed { return &a.Body }}},
		Expires: func(a *IdempotentAnswer) time.Time { return a.ExpiresAt },
	})
}

// declareFactors: what people of local accounts prove themselves with.
func (s *Store) declareFactors() {
	s.Passkeys = collect(s, Schema[Passkey]{
		Bucket:  "passkeys",
		Key:     func(p *Passkey) string { return p.ID },
		Indexes: []Index[Passkey]{{Name: "user", Values: func(p *Passkey) []string { return []string{p.UserID} }}},
	})
	s.SecondFactors = collect(s, Schema[SecondFactor]{
		Bucket: "second_factors",
		Key:    func(f *SecondFactor) string { return f.UserID },
		Sealed: []SealedField[SecondFactor]{{Name: "seed", Field: func(f *SecondFactor) *Sealed { return &f.Seed }}},
	})
	s.AccountLinks = collect(s, Schema[AccountLink]{
		Bucket:  "account_links",
		Key:     func(l *AccountLink) string { return l.Hash },
		Indexes: []Index[AccountLink]{{Name: "user", Values: func(l *AccountLink) []string { return []string{l.UserID} }}},
		Expires: func(l *AccountLink) time.Time { return l.ExpiresAt },
	})
}

// declareNotices: what is told by mail and webhook.
func (s *Store) declareNotices() {
	s.Events = collect(s, Schema[Event]{
		Bucket: "events",
		Key:    func(e *Event) string { return e.ID },
		Sealed: []SealedField[Event]{{Name: "secret", Field: func(e *Event) *Sealed { return &e.Secret }}},
	})
	s.Mails = collect(s, Schema[Mail]{
		Bucket:  "mails",
		Key:     func(m *Mail) string { return m.ID },
		Sealed:  []SealedField[Mail]{{Name: "data", Field: func(m *Mail) *Sealed { return &m.Data }}},
		Expires: func(m *Mail) time.Time { return m.ExpiresAt },
	})
	s.NoticeWindows = collect(s, Schema[NoticeWindow]{
		Bucket:  "notice_windows",
		Key:     func(w *NoticeWindow) string { return w.OrganizationID },
		Expires: func(w *NoticeWindow) time.Time { return w.ExpiresAt },
	})
	s.Webhooks = collect(s, Schema[Webhook]{
		Bucket: "webhooks", Tombstones: true,
		Key:  func(w *Webhook) string { return w.ID },
		Meta: func(w *Webhook) *Meta { return &w.Meta },
		Indexes: []Index[Webhook]{
			{Name: "event", Values: func(w *Webhook) []string { return w.Events }},
			{Name: "organization", Values: func(w *Webhook) []string { return present(w.OrganizationID) }},
		},
		Sealed: []SealedField[Webhook]{
			{Name: "secret", Field: func(w *Webhook) *Sealed { return &w.Secret }},
			{Name: "previous_secret", Field: func(w *Webhook) *Sealed { return &w.PreviousSecret }},
		},
	})
	s.Deliveries = collect(s, Schema[Delivery]{
		Bucket: "deliveries",
		Key:    func(d *Delivery) string { return d.ID },
		Indexes: []Index[Delivery]{
			{Name: "webhook", Values: func(d *Delivery) []string { return []string{d.WebhookID} }},
			{Name: "pending", Values: func(d *Delivery) []string {
				if d.State != DeliveryPending {
					return nil
				}
				return []string{"yes"}
			}},
		},
		Expires: func(d *Delivery) time.Time { return d.ExpiresAt },
	})
}

// present is an optional index value: an empty one leaves the record out.
func present(v string) []string {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	return []string{v}
}

// OrganizationState is the value of AccessRequests' and Invitations' index
// "organization_state".
func OrganizationState(organization, state string) string { return joinKey(organization, state) }

// OrganizationRole is the value of Memberships' index "organization_role".
func OrganizationRole(organization, role string) string { return joinKey(organization, role) }

// ConnectionState is the value of AccessRequests' index "connection_state".
func ConnectionState(connection, state string) string { return joinKey(connection, state) }

// UserClient is the value of AccessRequests' indexes "app" and "pending_app".
func UserClient(user, client string) string { return joinKey(user, client) }
