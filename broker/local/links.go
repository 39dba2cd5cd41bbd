package local

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
)

// How long mailed links and notices last.
const (
	resetFor  = time.Hour
	inviteFor = 3 * 24 * time.Hour // the first password, set by whom an admin made the account for
	proveFor  = 24 * time.Hour
	noticeFor = 3 * 24 * time.Hour
)

// Paths under the public issuer that mailed links lead to.
const (
	PathReset = "/login/local/reset"
	PathProve = "/login/local/prove"
)

// Token is the secret of a mailed link. It is made before the Update that keeps
// its hash.
type Token string

// NewToken makes 256 random bits.
func NewToken() Token { return Token(base64.RawURLEncoding.EncodeToString(random(32))) }

// AskReset mails the owner of login a link to set a new password, if there is
// such an account. Known, unknown and throttled addresses look alike: one
// commit, no error (SECURITY-CASES Y1). ErrPaused is about the network alone.
func (a *Accounts) AskReset(ctx context.Context, login, from, language string) error {
	if !a.limits.network(from) {
		return ErrPaused
	}
	email, err := profile.ParseEmail(strings.TrimSpace(login))
	if err != nil {
		return nil //nolint:nilerr // no address of anyone: the answer is always the same
	}
	may := a.limits.mail(email.Key())
	token := NewToken()
	return a.store.Update(ctx, func(tx store.Tx) error {
		pw, err := a.store.Passwords.ByUnique(tx, "login", email.Key())
		if errors.Is(err, store.ErrNotFound) || err == nil && !may {
			return a.noteNobody(tx)
		}
		if err != nil {
			return err
		}
		u, err := a.store.Users.Get(tx, pw.UserID)
		if errors.Is(err, store.ErrNotFound) || err == nil && u.Status != store.UserActive {
			return a.noteNobody(tx)
		}
		if err != nil {
			return err
		}
		if u.Language != "" {
			language = u.Language
		}
		return a.MailReset(tx, pw.UserID, language, token)
	})
}

// MailReset mails the account's owner a link with which they set a new
// password; an earlier one dies. An account that never had a password gets a
// link that lasts longer, for its owner does not expect it.
func (a *Accounts) MailReset(tx store.Tx, userID, language string, token Token) error {
	pw, err := a.password(tx, userID)
	if err != nil {
		return err
	}
	life := resetFor
	if pw.Hash == "" {
		life = inviteFor
	}
	link := store.AccountLink{Kind: store.LinkResetPassword, UserID: userID, Email: pw.Login, ExpiresAt: a.now().UTC().Add(life)}
	data := store.MailData{Link: a.url(PathReset, token), Expires: link.ExpiresAt, Account: pw.Login}
	return a.send(tx, link, token, "reset_password", pw.Login, language, data)
}

// MailProof mails a link to address, with which the owner of the account proves
// that it is theirs; it then becomes the login. The mail names the account, and
// the link asks for its password: whoever gets it by mistake, or by somebody's
// trick, cannot prove for another (SECURITY-CASES N7). An earlier one dies.
func (a *Accounts) MailProof(tx store.Tx, userID string, address profile.Email, language string, token Token) error {
	pw, err := a.password(tx, userID)
	if err != nil {
		return err
	}
	link := store.AccountLink{Kind: store.LinkProveEmail, UserID: userID, Email: address.String(), ExpiresAt: a.now().UTC().Add(proveFor)}
	data := store.MailData{Link: a.url(PathProve, token), Expires: link.ExpiresAt, Account: pw.Login}
	return a.send(tx, link, token, "prove_email", address.String(), language, data)
}

func (a *Accounts) url(path string, token Token) string {
	return a.issuer + path + "?" + url.Values{"token": {string(token)}}.Encode()
}

func (a *Accounts) send(tx store.Tx, link store.AccountLink, token Token, kind, to, language string, data store.MailData) error {
	if err := a.dropLinks(tx, link.UserID, link.Kind); err != nil {
		return err
	}
	link.Hash = store.HashToken(string(token))
	if err := a.store.AccountLinks.Insert(tx, link); err != nil {
		return err
	}
	return a.mail(tx, kind, to, language, data, link.ExpiresAt)
}

// Link finds a mailed link that still works, without using it up; ErrLink
// otherwise.
func (a *Accounts) Link(tx store.Tx, kind, token string) (store.AccountLink, error) {
	l, err := a.store.AccountLinks.Get(tx, store.HashToken(token))
	if errors.Is(err, store.ErrNotFound) || err == nil && (l.Kind != kind || !a.now().Before(l.ExpiresAt)) {
		return store.AccountLink{}, ErrLink
	}
	return l, err
}

// Reset uses a link up and sets the password: everything the old one opened
// ends, and the address the link was mailed to is proven.
func (a *Accounts) Reset(tx store.Tx, token, hash, language string) (userID string, err error) {
	l, err := a.Link(tx, store.LinkResetPassword, token)
	if err != nil {
		return "", err
	}
	u, err := a.store.Users.Get(tx, l.UserID)
	if errors.Is(err, store.ErrNotFound) || err == nil && u.Status != store.UserActive {
		return "", ErrLink
	}
	if err != nil {
		return "", err
	}
	if err := a.SetPassword(tx, l.UserID, hash, "", language); err != nil { // its links, this one too, are gone now
		return "", err
	}
	address, err := profile.ParseEmail(l.Email)
	if err != nil {
		return "", fmt.Errorf("local: reset link: %w", err)
	}
	return l.UserID, a.Prove(tx, l.UserID, address)
}

// ProveEmail uses a link up: its address is proven and becomes the account's
// login. An account that carried it unproven makes way (N3); ErrTaken when
// another has proven it. userID is the account whose password was just given.
func (a *Accounts) ProveEmail(tx store.Tx, token, userID string) error {
	l, err := a.Link(tx, store.LinkProveEmail, token)
	if err != nil {
		return err
	}
	if l.UserID != userID {
		return ErrWrong
	}
	address, err := profile.ParseEmail(l.Email)
	if err != nil {
		return fmt.Errorf("local: proof link: %w", err)
	}
	if err := a.Displace(tx, address, userID); err != nil {
		return err
	}
	pw, err := a.password(tx, userID)
	if err != nil {
		return err
	}
	pw.Login = address.Key()
	if err := a.store.Passwords.Put(tx, pw); errors.Is(err, store.ErrExists) {
		return ErrTaken
	} else if err != nil {
		return err
	}
	if err := a.dropLinks(tx, userID, ""); err != nil {
		return err
	}
	return a.Prove(tx, userID, address)
}

// dropLinks deletes a user's links of a kind, or all.
func (a *Accounts) dropLinks(tx store.Tx, userID, kind string) error {
	for l, err := range a.store.AccountLinks.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if kind != "" && l.Kind != kind {
			continue
		}
		if err := a.store.AccountLinks.Delete(tx, l.Hash); err != nil {
			return err
		}
	}
	return nil
}

// mail hands a mail to whoever sends them.
func (a *Accounts) mail(tx store.Tx, kind, to, language string, data store.MailData, until time.Time) error {
	now := a.now().UTC()
	return a.store.Mails.Insert(tx, store.Mail{
		ID: fmt.Sprintf("%016x-%s", now.UnixNano(), store.NewID()), Kind: kind, To: to, Language: language,
		Data: data.Seal(), CreatedAt: now, NextAt: now, ExpiresAt: until.UTC(),
	})
}

// AskProof is MailProof for a person who signs in with an address nobody has
// proven yet; too many mails to one account are not sent, and nobody is told.
func (a *Accounts) AskProof(ctx context.Context, userID string, address profile.Email, language string) error {
	if !a.limits.mail("proof:" + userID) {
		return nil
	}
	token := NewToken()
	return a.store.Update(ctx, func(tx store.Tx) error { return a.MailProof(tx, userID, address, language, token) })
}
