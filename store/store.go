package store

import (
	"context"
	"io"
	"strings"
	"time"
)

// Store is the records over one engine.
type Store struct {
	engine  Engine
	keyring *Keyring
	now     func() time.Time

	Organizations  *Collection[Organization]
	Domains        *Collection[Domain]
	Connections    *Collection[Connection]
	Clients        *Collection[Client]
	Users          *Collection[User]
	Identities     *Collection[Identity]
	Memberships    *Collection[Membership]
	Consents       *Collection[Consent]
	AccessRequests *Collection[AccessRequest]
	Sessions       *Collection[Session]
	UsedLogins     *Collection[UsedLogin]
	Grants         *Collection[Grant]
	Codes          *Collection[Code]
	RefreshTokens  *Collection[RefreshToken]
	AccessTokens   *Collection[AccessToken]
	SigningKeys    *Collection[SigningKey]
	Passwords      *Collection[Password]
	APITokens      *Collection[APIToken]
	SetupLinks     *Collection[SetupLink]
}

// Config of a Store. Keyring is required; Now defaults to time.Now.
type Config struct {
	Keyring *Keyring
	Now     func() time.Time
}

// Open checks the master key and the schema version of what the engine holds
// (an empty engine is set up), runs pending migrations and returns the Store,
// which then owns the engine.
func Open(ctx context.Context, engine Engine, cfg Config) (*Store, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{engine: engine, keyring: cfg.Keyring, now: cfg.Now}
	s.Organizations = collect(s, Schema[Organization]{
		Bucket: "organizations", Tombstones: true,
		Key:  func(o *Organization) string { return o.ID },
		Meta: func(o *Organization) *Meta { return &o.Meta },
	})
	s.Domains = collect(s, Schema[Domain]{
		Bucket: "domains",
		Key:    func(d *Domain) string { return DomainKey(d.Name, d.OrganizationID) },
		Meta:   func(d *Domain) *Meta { return &d.Meta },
		Indexes: []Index[Domain]{
			{Name: "name", Values: func(d *Domain) []string { return []string{d.Name} }},
			{Name: "organization", Values: func(d *Domain) []string { return []string{d.OrganizationID} }},
		},
	})
	s.Connections = collect(s, Schema[Connection]{
		Bucket: "connections", Tombstones: true,
		Key:  func(c *Connection) string { return c.ID },
		Meta: func(c *Connection) *Meta { return &c.Meta },
		Indexes: []Index[Connection]{
			{Name: "organization", Values: func(c *Connection) []string { return []string{c.OrganizationID} }},
			{Name: "domain", Values: func(c *Connection) []string { return c.Domains }},
		},
		Sealed: []SealedField[Connection]{{Name: "client_secret", Field: func(c *Connection) *Sealed { return &c.ClientSecret }}},
	})
	s.Clients = collect(s, Schema[Client]{
		Bucket: "clients", Tombstones: true,
		Key:  func(c *Client) string { return c.ID },
		Meta: func(c *Client) *Meta { return &c.Meta },
	})
	s.Users = collect(s, Schema[User]{
		Bucket: "users", Tombstones: true,
		Key:     func(u *User) string { return u.ID },
		Meta:    func(u *User) *Meta { return &u.Meta },
		Indexes: []Index[User]{{Name: "platform_role", Values: func(u *User) []string { return present(u.PlatformRole) }}},
	})
	s.Identities = collect(s, Schema[Identity]{
		Bucket: "identities",
		Key:    func(i *Identity) string { return IdentityKey(i.ConnectionID, i.Issuer, i.Subject) },
		Meta:   func(i *Identity) *Meta { return &i.Meta },
		Indexes: []Index[Identity]{
			{Name: "user", Values: func(i *Identity) []string { return []string{i.UserID} }},
			{Name: "connection", Values: func(i *Identity) []string { return []string{i.ConnectionID} }},
		},
	})
	s.Memberships = collect(s, Schema[Membership]{
		Bucket: "memberships",
		Key:    func(m *Membership) string { return MembershipKey(m.OrganizationID, m.UserID) },
		Meta:   func(m *Membership) *Meta { return &m.Meta },
		Indexes: []Index[Membership]{
			{Name: "user", Values: func(m *Membership) []string { return []string{m.UserID} }},
			{Name: "organization", Values: func(m *Membership) []string { return []string{m.OrganizationID} }},
		},
	})
	s.Consents = collect(s, Schema[Consent]{
		Bucket: "consents",
		Key:    func(c *Consent) string { return ConsentKey(c.UserID, c.ClientID) },
	})
	s.AccessRequests = collect(s, Schema[AccessRequest]{
		Bucket: "access_requests",
		Key:    func(r *AccessRequest) string { return r.ID },
		Meta:   func(r *AccessRequest) *Meta { return &r.Meta },
		Indexes: []Index[AccessRequest]{
			{Name: "state", Values: func(r *AccessRequest) []string { return []string{r.State} }},
			{Name: "organization_state", Values: func(r *AccessRequest) []string { return []string{joinKey(r.OrganizationID, r.State)} }},
			{Name: "connection_state", Values: func(r *AccessRequest) []string { return []string{joinKey(r.ConnectionID, r.State)} }},
			// One waiting request per identity.
			{Name: "pending_identity", Unique: true, Values: func(r *AccessRequest) []string {
				if r.State != RequestPending {
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
		Bucket: "grants",
		Key:    func(g *Grant) string { return g.ID },
		Indexes: []Index[Grant]{
			{Name: "user", Values: func(g *Grant) []string { return []string{g.UserID} }},
			{Name: "session", Values: func(g *Grant) []string { return present(g.SessionKey) }},
		},
		Expires: func(g *Grant) time.Time { return g.KeepUntil },
	})
	s.Codes = collect(s, Schema[Code]{
		Bucket:  "codes",
		Key:     func(c *Code) string { return c.Hash },
		Expires: func(c *Code) time.Time { return c.KeepUntil },
	})
	s.RefreshTokens = collect(s, Schema[RefreshToken]{
		Bucket:  "refresh_tokens",
		Key:     func(r *RefreshToken) string { return r.Hash },
		Expires: func(r *RefreshToken) time.Time { return r.KeepUntil },
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
	return s, nil
}

func collect[T any](s *Store, schema Schema[T]) *Collection[T] {
	return &Collection[T]{schema: schema, sealer: s.keyring.Sealer("records/" + schema.Bucket), now: s.now}
}

func present(v string) []string {
	if strings.TrimSpace(v) == "" {
		return nil
	}
	return []string{v}
}

// View runs fn on a consistent snapshot.
func (s *Store) View(ctx context.Context, fn func(Tx) error) error { return s.engine.View(ctx, fn) }

// Update runs fn in one durable, serializable transaction; fn may run again.
func (s *Store) Update(ctx context.Context, fn func(Tx) error) error { return s.engine.Update(ctx, fn) }

// Backup writes a consistent snapshot to w while the store is in use.
func (s *Store) Backup(ctx context.Context, w io.Writer) error { return s.engine.Backup(ctx, w) }

// Close closes the engine.
func (s *Store) Close() error { return s.engine.Close() }

// Keyring is for deriving keys of other purposes (cookies, tokens).
func (s *Store) Keyring() *Keyring { return s.keyring }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }
