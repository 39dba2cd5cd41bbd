package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// Errors of everything that takes a proof. They tell nothing about who exists.
var (
	// ErrWrong: the proof does not count, for whatever reason.
	ErrWrong = errors.New("local: the proof is not right")
	// ErrPaused: too many tries, from this network or for this account. Wait
	// half a minute.
	ErrPaused = errors.New("local: too many tries")
	// ErrLink: the mailed link was used, has expired or never was.
	ErrLink = errors.New("local: the link does not work any more")
	// ErrTaken: the address is the login of another account.
	ErrTaken = errors.New("local: the address belongs to an account already")
	// ErrTooMany: the account has as many passkeys as it may have.
	ErrTooMany = errors.New("local: there are too many passkeys")
	// ErrNoAccount: the user has no password, so nothing of it can change.
	ErrNoAccount = errors.New("local: the user has no local account")
)

// Config of Accounts. Store is required.
type Config struct {
	Store *store.Store
	// Issuer is the public issuer, where mailed links lead to.
	Issuer string
	// End ends every session and grant of a user; with nil sessions are deleted
	// and grants stay.
	End func(tx store.Tx, userID, reason string) error
	Now func() time.Time
}

// Accounts is the one keeper of local credentials; both listeners share it, so
// that guesses at either count together. It is safe for concurrent use.
type Accounts struct {
	store  *store.Store
	issuer string
	end    func(tx store.Tx, userID, reason string) error
	now    func() time.Time

	hasher  *Hasher
	limits  *throttle
	known   knownBrowsers
	tickets *store.Sealer
}

// New returns Accounts.
func New(c Config) *Accounts {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &Accounts{
		store: c.Store, issuer: c.Issuer, end: c.End, now: c.Now, hasher: NewHasher(), limits: newThrottle(c.Now),
		known: knownBrowsers{c.Store.Keyring().Sealer("admin/known")}, tickets: c.Store.Keyring().Sealer("local/ticket"),
	}
	if a.end == nil {
		a.end = a.dropSessions
	}
	return a
}

func (a *Accounts) dropSessions(tx store.Tx, userID, _ string) error {
	for s, err := range a.store.Sessions.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := a.store.Sessions.Delete(tx, s.KeyHash); err != nil {
			return err
		}
	}
	return nil
}

// Hash makes the stored form of a password that PasswordFault has nothing
// against. It takes some 20 ms, outside of any Update.
func (a *Accounts) Hash(ctx context.Context, password string) (string, error) {
	return a.hasher.Hash(ctx, password)
}

// MayTry reports whether this network may try one more time: for what costs
// something before a proof is looked at.
func (a *Accounts) MayTry(from string) bool { return a.limits.network(from) }

// Insert keeps the credential of a new account; hash is empty when its owner
// sets the password by a mailed link. ErrTaken when another account has the
// login.
func (a *Accounts) Insert(tx store.Tx, userID string, login profile.Email, hash string) error {
	err := a.store.Passwords.Insert(tx, store.Password{UserID: userID, Login: login.Key(), Hash: hash, ChangedAt: a.now().UTC()})
	if errors.Is(err, store.ErrExists) {
		return ErrTaken
	}
	return err
}

// SetPassword replaces the hash of an account and puts everybody else out: its
// links, API tokens, sessions and grants end (SECURITY-CASES L4). keep is the
// key of the session that asked, which stays; "" keeps none. The person is told
// by mail, in language.
func (a *Accounts) SetPassword(tx store.Tx, userID, hash, keep, language string) error {
	pw, err := a.password(tx, userID)
	if err != nil {
		return err
	}
	pw.Hash, pw.ChangedAt, pw.Failures = hash, a.now().UTC(), 0
	if err := a.store.Passwords.Put(tx, pw); err != nil {
		return err
	}
	if err := a.endOthers(tx, userID, keep, "password_changed"); err != nil {
		return err
	}
	return a.mail(tx, "password_changed", pw.Login, language, store.MailData{Account: pw.Login}, a.now().Add(noticeFor))
}

func (a *Accounts) password(tx store.Tx, userID string) (store.Password, error) {
	pw, err := a.store.Passwords.Get(tx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return pw, ErrNoAccount
	}
	return pw, err
}

// endOthers ends links, API tokens, sessions and grants of a user, but one session.
func (a *Accounts) endOthers(tx store.Tx, userID, keep, reason string) error {
	if err := a.dropLinks(tx, userID, ""); err != nil {
		return err
	}
	for t, err := range a.store.APITokens.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := a.store.APITokens.Delete(tx, t.Hash); err != nil {
			return err
		}
	}
	var kept *store.Session
	if keep != "" {
		s, err := a.store.Sessions.Get(tx, keep)
		switch {
		case err == nil && s.UserID == userID:
			kept = &s
		case err != nil && !errors.Is(err, store.ErrNotFound):
			return err
		}
	}
	if err := a.end(tx, userID, reason); err != nil {
		return fmt.Errorf("local: end sessions: %w", err)
	}
	if kept != nil {
		return a.store.Sessions.Insert(tx, *kept)
	}
	return nil
}

// Remove takes every local credential of a user away: password, passkeys, second
// factor and links; what they opened ends. No account is no error.
func (a *Accounts) Remove(tx store.Tx, userID string) error {
	if err := a.endOthers(tx, userID, "", "credentials_removed"); err != nil {
		return err
	}
	if err := a.RemoveFactors(tx, userID); err != nil {
		return err
	}
	return gone(a.store.Passwords.Delete(tx, userID))
}

// Displace makes way for a person who has just proven an address by another
// way than the account that carries it as login: an account whose address
// nobody has proven loses its credentials, sessions and links (SECURITY-CASES
// N3). Accounts of the platform's own people were made by an owner and stay, as
// do proven ones. except is the user who proved the address.
func (a *Accounts) Displace(tx store.Tx, address profile.Email, except string) error {
	if address.IsZero() {
		return nil
	}
	pw, err := a.store.Passwords.ByUnique(tx, "login", address.Key())
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil || pw.UserID == except {
		return err
	}
	u, err := a.store.Users.Get(tx, pw.UserID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err == nil && u.PlatformRole != "" {
		return nil
	}
	proven, err := a.proven(tx, pw.UserID, address)
	if err != nil || proven {
		return err
	}
	return a.Remove(tx, pw.UserID)
}

// proven reports whether a local identity of the user has this very address
// proven.
func (a *Accounts) proven(tx store.Tx, userID string, address profile.Email) (bool, error) {
	for i, err := range a.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return false, err
		}
		e, parseErr := profile.ParseEmail(i.Attributes.Email)
		if i.Issuer == a.issuer && i.Subject == userID && i.EmailVerified && parseErr == nil && e.Key() == address.Key() {
			return true, nil
		}
	}
	return false, nil
}

// Prove marks the address of a user's local identities as proven: the person
// has just used a link that was mailed to it.
func (a *Accounts) Prove(tx store.Tx, userID string, address profile.Email) error {
	for i, err := range a.store.Identities.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if i.Issuer != a.issuer || i.Subject != userID {
			continue
		}
		i.Attributes.Email, i.EmailVerified = address.String(), true
		if err := a.store.Identities.Put(tx, i); err != nil {
			return err
		}
		if err := a.proveUser(tx, i); err != nil {
			return err
		}
	}
	return nil
}

// proveUser carries a proven address over to the user whose attributes are the
// identity's.
func (a *Accounts) proveUser(tx store.Tx, i store.Identity) error {
	u, err := a.store.Users.Get(tx, i.UserID)
	if err != nil {
		return err
	}
	if key := store.IdentityKey(i.ConnectionID, i.Issuer, i.Subject); len(u.Source) > 0 && string(u.Source) != key {
		return nil
	}
	u.Attributes.Email, u.EmailVerified = i.Attributes.Email, true
	return a.store.Users.Put(tx, u)
}

// Login is the address an account signs in with, and whether it has a password
// yet; ErrNoAccount when the user has no local account.
func (a *Accounts) Login(tx store.Tx, userID string) (login string, hasPassword bool, err error) {
	pw, err := a.password(tx, userID)
	return pw.Login, pw.Hash != "", err
}

func gone(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}
