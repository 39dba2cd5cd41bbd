package local

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// Try is one attempt to prove a password.
type Try struct {
	Login, Password string
	From            string // network address
	Known           string // cookie value of a browser that signed in before; "" if none
}

// Proof is a password that was right. ChangedAt goes along into whatever
// remembers it, so that a change of the password in the meantime is seen.
type Proof struct {
	UserID    string
	ChangedAt time.Time
}

// SignIn proves a password. Every try costs one argon2id hash, and every
// failure one write, whether or not the login exists (SECURITY-CASES Y2).
// ErrWrong and ErrPaused are all it tells.
func (a *Accounts) SignIn(ctx context.Context, try Try) (Proof, error) {
	if !a.limits.network(try.From) {
		return Proof{}, ErrPaused
	}
	email, err := profile.ParseEmail(strings.TrimSpace(try.Login))
	if err != nil || len(try.Password) > MaxPassword {
		return Proof{}, ErrWrong // says nothing about who exists: no address of anyone
	}
	var pw store.Password
	var active bool
	if err := a.store.View(ctx, func(tx store.Tx) (err error) {
		if pw, err = a.store.Passwords.ByUnique(tx, "login", email.Key()); err != nil {
			return err
		}
		u, err := a.store.Users.Get(tx, pw.UserID)
		active = u.Status == store.UserActive
		return err
	}); err != nil && !errors.Is(err, store.ErrNotFound) {
		return Proof{}, err
	}
	return a.prove(ctx, try, "login:"+store.HashToken(email.Key()), pw, active)
}

// Again proves the password of a person who is signed in already, before
// something dangerous. It counts like a sign-in.
func (a *Accounts) Again(ctx context.Context, userID, password, from string) (Proof, error) {
	if !a.limits.network(from) {
		return Proof{}, ErrPaused
	}
	if len(password) > MaxPassword {
		return Proof{}, ErrWrong
	}
	var pw store.Password
	if err := a.store.View(ctx, func(tx store.Tx) (err error) {
		pw, err = a.store.Passwords.Get(tx, userID)
		return err
	}); err != nil && !errors.Is(err, store.ErrNotFound) {
		return Proof{}, err
	}
	// Counted apart from sign-ins: a stranger who fails those slows no one here.
	return a.prove(ctx, Try{Password: password, From: from}, "again:"+userID, store.Password{UserID: pw.UserID, Hash: pw.Hash, ChangedAt: pw.ChangedAt}, true)
}

func (a *Accounts) prove(ctx context.Context, try Try, lane string, pw store.Password, active bool) (Proof, error) {
	stored := attempts{pw.Failures, pw.LastFailure}
	// A browser this person signed in from before has a count of its own.
	if known := a.known.read(try.Known, pw.UserID, a.now()); known != "" {
		lane, stored = known, attempts{}
	}
	if !a.limits.try(lane, stored) {
		return Proof{}, ErrPaused
	}
	ok, err := a.hasher.verify(ctx, pw.Hash, try.Password)
	if err != nil {
		return Proof{}, err
	}
	if !ok || !active {
		return Proof{}, errors.Join(ErrWrong, a.noteFailure(ctx, pw.UserID))
	}
	a.limits.succeeded(lane)
	a.limits.right(try.From)
	return Proof{UserID: pw.UserID, ChangedAt: pw.ChangedAt}, nil
}

// unknownBucket has one row of fixed size, for failures of nobody.
const unknownBucket = "local_unknown"

// noteFailure keeps the count in the account's record, or, for a login that
// does not exist, in one row of fixed size, so that both take as long.
func (a *Accounts) noteFailure(ctx context.Context, userID string) error {
	return a.store.Update(ctx, func(tx store.Tx) error {
		if userID == "" {
			return a.noteNobody(tx)
		}
		pw, err := a.store.Passwords.Get(tx, userID)
		if err != nil {
			return gone(err)
		}
		pw.Failures, pw.LastFailure = pw.Failures+1, a.now().UTC()
		return a.store.Passwords.Put(tx, pw)
	})
}

func (a *Accounts) noteNobody(tx store.Tx) error {
	raw, err := json.Marshal(map[string]time.Time{"last_failure": a.now().UTC()})
	if err != nil {
		return err
	}
	return tx.Put(unknownBucket, []byte("throttle"), raw)
}

// Arrived belongs into the Update that begins a session with a proof: the
// password must still be the one that was proven, the user active, and the
// count of failures starts anew. ErrWrong otherwise.
func (a *Accounts) Arrived(tx store.Tx, p Proof) error {
	u, err := a.store.Users.Get(tx, p.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Status != store.UserActive {
		return ErrWrong
	}
	if err != nil {
		return err
	}
	pw, err := a.store.Passwords.Get(tx, p.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && !p.ChangedAt.IsZero() && !pw.ChangedAt.Equal(p.ChangedAt) {
		return ErrWrong
	}
	if err != nil || pw.Failures == 0 {
		return err
	}
	pw.Failures = 0
	return a.store.Passwords.Put(tx, pw)
}
