package local

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"gatehouse/profile"
	"gatehouse/store"
)

// maxPasskeys of one account, and the most bytes of a browser's answer.
const (
	maxPasskeys = 20
	maxAnswer   = 16 << 10
)

// RelyingParty is one address of ours as authenticators know it. A passkey made
// for one works at no other.
type RelyingParty struct {
	id  string
	web *webauthn.WebAuthn
}

// NewRelyingParty makes the relying party of a base URL. nil without error:
// browsers give no passkeys to a network address, only to a host with a name.
func NewRelyingParty(baseURL string) (*RelyingParty, error) {
	u, err := url.Parse(baseURL)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("local: %q is not a base URL", baseURL)
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		return nil, nil //nolint:nilnil // no passkeys here, and nothing wrong
	}
	web, err := webauthn.New(&webauthn.Config{
		RPID: host, RPDisplayName: "Gatehouse", RPOrigins: []string{u.Scheme + "://" + u.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		// Discoverable, so that nobody has to type an address, and with a PIN or
		// a finger, so that one gesture is two factors.
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(),
			UserVerification: protocol.VerificationRequired,
		},
	})
	if err != nil {
		return nil, fmt.Errorf("local: relying party: %w", err)
	}
	return &RelyingParty{id: host, web: web}, nil
}

// Ceremony is what a page needs to ask the browser for a passkey: options for
// its script, and a ticket that comes back with the answer.
type Ceremony struct{ Options, Ticket string }

type passkeyTicket struct {
	UserID  string               `json:"u,omitempty"` // empty: whoever it turns out to be
	Session webauthn.SessionData `json:"s"`
	Until   time.Time            `json:"t"`
}

// person is a user as the WebAuthn library sees them.
type person struct {
	id, name    string
	credentials []webauthn.Credential
}

func (p person) WebAuthnID() []byte                         { return []byte(p.id) }
func (p person) WebAuthnName() string                       { return p.name }
func (p person) WebAuthnDisplayName() string                { return p.name }
func (p person) WebAuthnCredentials() []webauthn.Credential { return p.credentials }

// person reads a user's passkeys at a relying party.
func (a *Accounts) person(ctx context.Context, rp *RelyingParty, userID, name string) (person, error) {
	p := person{id: userID, name: name}
	err := a.store.View(ctx, func(tx store.Tx) error {
		p.credentials = nil
		for k, err := range a.store.Passkeys.AllByIndex(tx, "user", userID) {
			if err != nil {
				return err
			}
			if k.RPID != rp.id {
				continue
			}
			var c webauthn.Credential
			if err := json.Unmarshal(k.Credential, &c); err != nil {
				return fmt.Errorf("local: stored passkey: %w", err)
			}
			p.credentials = append(p.credentials, c)
		}
		return nil
	})
	return p, err
}

// NewPasskey begins the making of a passkey of a signed-in user who is shown as
// name. binding ties the answer to the browser session that asks.
func (a *Accounts) NewPasskey(ctx context.Context, rp *RelyingParty, userID, name, binding string) (Ceremony, error) {
	p, err := a.person(ctx, rp, userID, name)
	if err != nil {
		return Ceremony{}, err
	}
	options, session, err := rp.web.BeginRegistration(p, webauthn.WithExclusions(webauthn.Credentials(p.credentials).CredentialDescriptors()))
	if err != nil {
		return Ceremony{}, fmt.Errorf("local: passkey options: %w", err)
	}
	return a.ceremony("passkey-new", binding, options, passkeyTicket{UserID: userID, Session: *session, Until: a.now().Add(ticketFor)})
}

func (a *Accounts) ceremony(purpose, binding string, options any, t passkeyTicket) (Ceremony, error) {
	raw, err := json.Marshal(options)
	return Ceremony{Options: string(raw), Ticket: a.ticket(purpose, binding, t)}, err
}

// Registered is a passkey that was made and checked, ready to be kept.
type Registered struct {
	passkey   store.Passkey
	challenge string
	until     time.Time
}

// CheckNewPasskey checks the browser's answer to NewPasskey (WebAuthn §7.1);
// ErrWrong, joined with the cause for the log, otherwise.
func (a *Accounts) CheckNewPasskey(rp *RelyingParty, userID, binding, ticket, answer, name string) (Registered, error) {
	var t passkeyTicket
	if !a.openTicket("passkey-new", binding, ticket, &t) || t.UserID != userID || !a.now().Before(t.Until) || len(answer) > maxAnswer {
		return Registered{}, ErrWrong
	}
	parsed, err := parseCreation(answer)
	if err != nil {
		return Registered{}, errors.Join(ErrWrong, err)
	}
	c, err := rp.web.CreateCredential(person{id: userID}, t.Session, parsed)
	if err != nil {
		return Registered{}, errors.Join(ErrWrong, cause(err))
	}
	c.Attestation = webauthn.CredentialAttestation{} // nobody asks for it again
	raw, err := json.Marshal(c)
	if err != nil {
		return Registered{}, err
	}
	if name = profile.Untrusted(name).Clean(60); name == "" {
		name = "Passkey"
	}
	return Registered{passkey: store.Passkey{
		ID: base64.RawURLEncoding.EncodeToString(c.ID), UserID: userID, Name: name, RPID: rp.id, Credential: raw, CreatedAt: a.now().UTC(),
	}, challenge: t.Session.Challenge, until: t.Until}, nil
}

// KeepPasskey keeps a new passkey: ErrTooMany at the twentieth, ErrWrong when
// its ceremony was used before or the authenticator gave an id that is taken.
func (a *Accounts) KeepPasskey(tx store.Tx, r Registered) error {
	if err := a.spend(tx, r.challenge, r.until); err != nil {
		return err
	}
	n, err := a.store.Passkeys.CountByIndex(tx, "user", r.passkey.UserID, maxPasskeys)
	if err != nil {
		return err
	}
	if n >= maxPasskeys {
		return ErrTooMany
	}
	if err := a.store.Passkeys.Insert(tx, r.passkey); errors.Is(err, store.ErrExists) {
		return ErrWrong
	} else if err != nil {
		return err
	}
	return nil
}

// AskPasskey begins a sign-in with a passkey. userID narrows it to one person,
// as a second factor; empty lets the browser offer all it has.
func (a *Accounts) AskPasskey(ctx context.Context, rp *RelyingParty, userID, binding string) (Ceremony, error) {
	var options *protocol.CredentialAssertion
	var session *webauthn.SessionData
	var err error
	if userID == "" {
		options, session, err = rp.web.BeginDiscoverableLogin()
	} else {
		var p person
		if p, err = a.person(ctx, rp, userID, ""); err != nil {
			return Ceremony{}, err
		}
		options, session, err = rp.web.BeginLogin(p)
	}
	if err != nil {
		return Ceremony{}, fmt.Errorf("local: passkey options: %w", err)
	}
	return a.ceremony("passkey-use", binding, options, passkeyTicket{UserID: userID, Session: *session, Until: a.now().Add(ticketFor)})
}

// Assertion is a passkey that was used and checked. UsePasskey makes it count.
type Assertion struct {
	UserID string
	AMR    []string // RFC 8176

	id        string
	count     uint32
	flags     webauthn.CredentialFlags
	challenge string
	until     time.Time
}

// CheckPasskey checks the browser's answer to AskPasskey (WebAuthn §7.2), with
// the person's PIN or finger: two factors in one. ErrWrong, joined with the
// cause for the log, and ErrPaused are all it tells.
func (a *Accounts) CheckPasskey(ctx context.Context, rp *RelyingParty, binding, ticket, answer, from string) (Assertion, error) {
	if !a.limits.network(from) {
		return Assertion{}, ErrPaused
	}
	var t passkeyTicket
	if !a.openTicket("passkey-use", binding, ticket, &t) || !a.now().Before(t.Until) || len(answer) > maxAnswer {
		return Assertion{}, ErrWrong
	}
	parsed, err := parseAssertion(answer)
	if err != nil {
		return Assertion{}, errors.Join(ErrWrong, err)
	}
	userID := t.UserID
	if userID == "" {
		userID = string(parsed.Response.UserHandle)
	}
	p, err := a.person(ctx, rp, userID, "")
	if err != nil {
		return Assertion{}, err
	}
	var c *webauthn.Credential
	if t.UserID != "" {
		c, err = rp.web.ValidateLogin(p, t.Session, parsed)
	} else {
		_, c, err = rp.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return p, nil }, t.Session, parsed)
	}
	if err != nil {
		return Assertion{}, errors.Join(ErrWrong, cause(err))
	}
	if c.Authenticator.CloneWarning {
		return Assertion{}, errors.Join(ErrWrong, errors.New("the passkey's counter went back: there may be a copy of it"))
	}
	a.limits.right(from)
	method := "swk" // a key that is synchronised is somewhere else too
	if !c.Flags.BackupEligible {
		method = "hwk"
	}
	return Assertion{
		UserID: userID, AMR: []string{method, "user", "mfa"}, id: base64.RawURLEncoding.EncodeToString(c.ID),
		count: c.Authenticator.SignCount, flags: c.Flags, challenge: t.Session.Challenge, until: t.Until,
	}, nil
}

// UsePasskey belongs into the Update that an assertion opens something in: its
// challenge counts once, the passkey is still there, and its counter has not
// moved on meanwhile. ErrWrong otherwise.
func (a *Accounts) UsePasskey(tx store.Tx, s Assertion) error {
	k, err := a.store.Passkeys.Get(tx, s.id)
	if errors.Is(err, store.ErrNotFound) || err == nil && k.UserID != s.UserID {
		return ErrWrong
	}
	if err != nil {
		return err
	}
	if err := a.spend(tx, s.challenge, s.until); err != nil {
		return err
	}
	var c webauthn.Credential
	if err := json.Unmarshal(k.Credential, &c); err != nil {
		return fmt.Errorf("local: stored passkey: %w", err)
	}
	if s.count != 0 && s.count <= c.Authenticator.SignCount {
		return ErrWrong
	}
	c.Authenticator.SignCount, c.Flags = s.count, s.flags
	if k.Credential, err = json.Marshal(c); err != nil {
		return err
	}
	k.LastUsedAt = a.now().UTC()
	return a.store.Passkeys.Put(tx, k)
}

// spend makes a challenge count once.
func (a *Accounts) spend(tx store.Tx, challenge string, until time.Time) error {
	err := a.store.UsedLogins.Insert(tx, store.UsedLogin{ID: "passkey:" + store.HashToken(challenge), ExpiresAt: until.UTC()})
	if errors.Is(err, store.ErrExists) {
		return ErrWrong
	}
	return err
}

// Passkeys lists a user's passkeys.
func (a *Accounts) Passkeys(tx store.Tx, userID string) ([]store.Passkey, error) {
	var out []store.Passkey
	for k, err := range a.store.Passkeys.AllByIndex(tx, "user", userID) {
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	return out, nil
}

// RemovePasskey deletes one passkey of a user; store.ErrNotFound when it is not
// theirs. Recovery codes go with the last factor.
func (a *Accounts) RemovePasskey(tx store.Tx, userID, id string) error {
	k, err := a.store.Passkeys.Get(tx, id)
	if err != nil {
		return err
	}
	if k.UserID != userID {
		return store.ErrNotFound
	}
	if err := a.store.Passkeys.Delete(tx, id); err != nil {
		return err
	}
	return a.dropRecovery(tx, userID)
}

// parseCreation and parseAssertion read what a browser's script sent.
func parseCreation(answer string) (*protocol.ParsedCredentialCreationData, error) {
	p, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	return p, cause(err)
}

func parseAssertion(answer string) (*protocol.ParsedCredentialAssertionData, error) {
	p, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	return p, cause(err)
}

// cause is the library's reason with its details, for the log. It holds nothing
// secret: assertions are public values.
func cause(err error) error {
	var p *protocol.Error
	if errors.As(err, &p) && p.DevInfo != "" {
		return fmt.Errorf("webauthn: %s: %s", p.Details, profile.Untrusted(p.DevInfo).Clean(300))
	}
	return err
}
