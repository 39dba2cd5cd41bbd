package store

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Store is the records over one engine.
type Store struct {
	engine  Engine
	keyring *Keyring
	stamp   *stamp
	now     func() time.Time
	kinds   []kind // every collection

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
	UpstreamTokens *Collection[UpstreamToken]
	AccessTokens   *Collection[AccessToken]
	SigningKeys    *Collection[SigningKey]
	Passwords      *Collection[Password]
	APITokens      *Collection[APIToken]
	SetupLinks     *Collection[SetupLink]
	DecisionLinks  *Collection[DecisionLink]
	Invitations    *Collection[Invitation]
	Passkeys       *Collection[Passkey]
	SecondFactors  *Collection[SecondFactor]
	AccountLinks   *Collection[AccountLink]
	Events         *Collection[Event]
	Mails          *Collection[Mail]
	NoticeWindows  *Collection[NoticeWindow]
	Webhooks       *Collection[Webhook]
	Deliveries     *Collection[Delivery]
	Answers        *Collection[IdempotentAnswer]
	LoginCounts    *Collection[LoginCount]

	// Traces of logins, in rings of fixed size.
	Traces *Traces
}

// Config of a Store. Keyring is required; Now defaults to time.Now.
type Config struct {
	Keyring *Keyring
	Now     func() time.Time
	// Traces is how many traces of logins are kept; 5,000 when zero.
	Traces int
}

// Open checks the master key and the schema version of what the engine holds
// (an empty engine is set up), runs pending migrations and returns the Store,
// which then owns the engine.
// When it fails the engine is untouched and still the caller's to close.
func Open(ctx context.Context, engine Engine, cfg Config) (*Store, error) {
	return open(ctx, engine, cfg, migrations())
}

func open(ctx context.Context, engine Engine, cfg Config, steps []migration) (*Store, error) {
	if cfg.Keyring == nil {
		return nil, fmt.Errorf("%w: there is none", ErrWrongKey)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &Store{engine: engine, keyring: cfg.Keyring, stamp: newStamp(cfg.Keyring), now: cfg.Now}
	s.declare()
	s.Traces = newTraces(s, cfg.Traces)
	if err := s.prepare(ctx, steps); err != nil {
		return nil, err
	}
	return s, nil
}

// View runs fn on a consistent snapshot.
func (s *Store) View(ctx context.Context, fn func(Tx) error) error { return s.engine.View(ctx, fn) }

// Update runs fn in one durable, serializable transaction; fn may run again.
func (s *Store) Update(ctx context.Context, fn func(Tx) error) error { return s.engine.Update(ctx, fn) }

// Backup writes a consistent snapshot to w while the store is in use.
func (s *Store) Backup(ctx context.Context, w io.Writer) error { return s.engine.Backup(ctx, w) }

// Close keeps the traces that wait to be written, and closes the engine.
func (s *Store) Close() error {
	s.Traces.close()
	return s.engine.Close()
}

// Keyring is for deriving keys of other purposes (cookies, tokens).
func (s *Store) Keyring() *Keyring { return s.keyring }

// Now is the store's clock.
func (s *Store) Now() time.Time { return s.now() }
