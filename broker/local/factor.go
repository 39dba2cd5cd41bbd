package local

import (
	"context"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"rsc.io/qr"

	"gatehouse/store"
)

// factorPause is the longest wait between two guesses of a second factor: who
// guesses here knows the password already, so it may be longer than a
// password's. At 96 guesses a day, with three codes of a million right at a
// time, it takes six years to an even chance (SECURITY-CASES Y5).
const factorPause = 15 * time.Minute

// ticketFor is how long a ceremony that began may take.
const ticketFor = 15 * time.Minute

// Factors are what an account has besides its password.
type Factors struct {
	TOTP     bool
	Passkeys int // for the relying party asked for
	Others   int // passkeys of the other listener's address
	Recovery int // codes that are left
}

// Any reports whether there is a second factor at all: then a password alone
// opens nothing, not even adding another factor.
func (f Factors) Any() bool { return f.TOTP || f.Passkeys > 0 || f.Others > 0 }

// Factors reads what a user has; passkeys count for the relying party, nil for
// one that can have none.
func (a *Accounts) Factors(tx store.Tx, userID string, rp *RelyingParty) (Factors, error) {
	var f Factors
	second, err := a.store.SecondFactors.Get(tx, userID)
	if gone(err) != nil {
		return f, err
	}
	f.TOTP, f.Recovery = !second.ConfirmedAt.IsZero(), len(second.Recovery)
	for p, err := range a.store.Passkeys.AllByIndex(tx, "user", userID) {
		switch {
		case err != nil:
			return f, err
		case rp != nil && p.RPID == rp.id:
			f.Passkeys++
		default:
			f.Others++
		}
	}
	return f, nil
}

// Enrolment is a TOTP seed on its way into an authenticator app. Nothing is
// kept until a first code was right: the ticket carries it, sealed.
type Enrolment struct {
	Ticket string
	Secret string // base32 in groups of four, for typing
	URL    string // otpauth://, also for a button on phones
	QR     string // data: URL of a picture
}

type totpTicket struct {
	UserID string    `json:"u"`
	Seed   []byte    `json:"s"`
	Until  time.Time `json:"t"`
}

// NewTOTP begins an enrolment for a user who is shown as account.
func (a *Accounts) NewTOTP(userID, account string) (Enrolment, error) {
	return a.enrolment(totpTicket{UserID: userID, Seed: random(totpSeed), Until: a.now().Add(ticketFor)}, account)
}

// ContinueTOTP shows the enrolment of a ticket again, after a wrong first code;
// a ticket that does not count gives a new one.
func (a *Accounts) ContinueTOTP(userID, account, ticket string) (Enrolment, error) {
	var t totpTicket
	if !a.openTicket("totp", userID, ticket, &t) || t.UserID != userID || !a.now().Before(t.Until) {
		return a.NewTOTP(userID, account)
	}
	return a.enrolment(t, account)
}

func (a *Accounts) enrolment(t totpTicket, account string) (Enrolment, error) {
	e := Enrolment{Ticket: a.ticket("totp", t.UserID, t), URL: totpURL("Gatehouse", account, t.Seed)}
	for chunk := range slices.Chunk([]byte(seedText(t.Seed)), 4) {
		e.Secret = strings.TrimSpace(e.Secret + " " + string(chunk))
	}
	code, err := qr.Encode(e.URL, qr.M)
	if err != nil {
		return e, err
	}
	e.QR = "data:image/png;base64," + base64.StdEncoding.EncodeToString(code.PNG())
	return e, nil
}

// Confirmed is an enrolment whose first code was right, ready to be kept.
type Confirmed struct {
	userID string
	seed   store.Secret
	step   int64
}

// ConfirmTOTP checks the first code of an enrolment; ErrWrong otherwise.
func (a *Accounts) ConfirmTOTP(userID, ticket, code string) (Confirmed, error) {
	var t totpTicket
	if !a.openTicket("totp", userID, ticket, &t) || t.UserID != userID || !a.now().Before(t.Until) {
		return Confirmed{}, ErrWrong
	}
	step := totpMatch(t.Seed, digits(code), a.now())
	if step == 0 {
		return Confirmed{}, ErrWrong
	}
	return Confirmed{userID: userID, seed: store.Secret(t.Seed), step: step}, nil
}

// KeepTOTP puts an enrolment in force, in place of an earlier one. Recovery
// codes stay, if there are any.
func (a *Accounts) KeepTOTP(tx store.Tx, c Confirmed) error {
	f, err := a.store.SecondFactors.Get(tx, c.userID)
	if gone(err) != nil {
		return err
	}
	f.UserID, f.Seed, f.ConfirmedAt, f.LastStep = c.userID, store.Seal(c.seed), a.now().UTC(), c.step
	f.Failures, f.LastFailure = 0, time.Time{}
	return a.store.SecondFactors.Upsert(tx, f)
}

// RecoveryCodes are made before the Update that keeps them: Plain is shown once.
type RecoveryCodes struct {
	Plain  []string
	hashes []string
}

const (
	recoveryCodes = 10
	recoveryBytes = 10 // 80 bits each
)

// NewRecoveryCodes makes ten codes.
func NewRecoveryCodes() RecoveryCodes {
	var r RecoveryCodes
	for range recoveryCodes {
		text := base32.StdEncoding.EncodeToString(random(recoveryBytes)) // 16 characters, no padding
		r.Plain = append(r.Plain, strings.ToLower(text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:]))
		r.hashes = append(r.hashes, store.HashToken(text))
	}
	return r
}

// KeepRecoveryCodes replaces the codes of a user.
func (a *Accounts) KeepRecoveryCodes(tx store.Tx, userID string, codes RecoveryCodes) error {
	f, err := a.store.SecondFactors.Get(tx, userID)
	if gone(err) != nil {
		return err
	}
	f.UserID, f.Recovery = userID, codes.hashes
	return a.store.SecondFactors.Upsert(tx, f)
}

// Code proves a second factor with a code of the authenticator app or a
// recovery code. Each counts once: the step of a TOTP code is compared and
// swapped, a recovery code is struck out, in the one Update that also counts
// the failure (SECURITY-CASES Y5). ErrWrong and ErrPaused are all it tells.
func (a *Accounts) Code(ctx context.Context, userID, typed, from string) error {
	if !a.limits.network(from) {
		return ErrPaused
	}
	var before store.SecondFactor
	if err := a.store.View(ctx, func(tx store.Tx) (err error) {
		before, err = a.store.SecondFactors.Get(tx, userID)
		return gone(err)
	}); err != nil {
		return err
	}
	seed, err := before.Seed.Reveal()
	if err != nil {
		return err
	}
	step := int64(0)
	if !before.ConfirmedAt.IsZero() {
		step = totpMatch([]byte(seed.Reveal()), digits(typed), a.now())
	}
	recovery := recoveryHash(typed)
	var verdict error
	err = a.store.Update(ctx, func(tx store.Tx) error {
		verdict = nil
		f, err := a.store.SecondFactors.Get(tx, userID)
		if errors.Is(err, store.ErrNotFound) {
			verdict = ErrWrong
			return a.noteNobody(tx)
		}
		if err != nil {
			return err
		}
		if (attempts{f.Failures, f.LastFailure}).wait(a.now(), factorPause) > 0 {
			verdict = ErrPaused // also for a right one: else a pause would tell which is
			return nil
		}
		switch at := slices.Index(f.Recovery, recovery); {
		// The seed is the one looked at, or the code is not one of it.
		case step > f.LastStep && f.ConfirmedAt.Equal(before.ConfirmedAt):
			f.LastStep, f.Failures = step, 0
		case recovery != "" && at >= 0:
			f.Recovery, f.Failures = slices.Delete(f.Recovery, at, at+1), 0
		default:
			verdict = ErrWrong
			f.Failures, f.LastFailure = f.Failures+1, a.now().UTC()
		}
		return a.store.SecondFactors.Put(tx, f)
	})
	if err != nil {
		return err
	}
	if verdict == nil {
		a.limits.right(from)
	}
	return verdict
}

// digits keeps the digits of what was typed: apps show "123 456". Anything but
// digits and spaces makes it no code.
func digits(typed string) string {
	code := strings.ReplaceAll(strings.TrimSpace(typed), " ", "")
	if len(code) != totpDigits || strings.Trim(code, "0123456789") != "" {
		return ""
	}
	return code
}

// recoveryHash is the stored form of a typed recovery code; "" when it cannot
// be one.
func recoveryHash(typed string) string {
	text := strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(typed))
	raw, err := base32.StdEncoding.DecodeString(text)
	if err != nil || len(raw) != recoveryBytes || base32.StdEncoding.EncodeToString(raw) != text {
		return ""
	}
	return store.HashToken(text)
}

// RemoveTOTP takes the authenticator app away. Recovery codes go with the last
// factor.
func (a *Accounts) RemoveTOTP(tx store.Tx, userID string) error {
	f, err := a.store.SecondFactors.Get(tx, userID)
	if err != nil {
		return gone(err)
	}
	f.Seed, f.ConfirmedAt, f.LastStep = store.Sealed{}, time.Time{}, 0
	if err := a.store.SecondFactors.Put(tx, f); err != nil {
		return err
	}
	return a.dropRecovery(tx, userID)
}

// dropRecovery deletes recovery codes that recover nothing any more.
func (a *Accounts) dropRecovery(tx store.Tx, userID string) error {
	f, err := a.Factors(tx, userID, nil)
	if err != nil || f.Any() {
		return err
	}
	return gone(a.store.SecondFactors.Delete(tx, userID))
}

// RemoveFactors takes every second factor of a user away: passkeys,
// authenticator app and recovery codes.
func (a *Accounts) RemoveFactors(tx store.Tx, userID string) error {
	for p, err := range a.store.Passkeys.AllByIndex(tx, "user", userID) {
		if err != nil {
			return err
		}
		if err := a.store.Passkeys.Delete(tx, p.ID); err != nil {
			return err
		}
	}
	return gone(a.store.SecondFactors.Delete(tx, userID))
}

// ticket seals what a ceremony has to bring back, for one purpose and one
// binding (a user, or the browser's form).
func (a *Accounts) ticket(purpose, binding string, v any) string {
	raw, _ := json.Marshal(v) // our own structs
	return base64.RawURLEncoding.EncodeToString(a.tickets.Seal(raw, []byte(purpose+"\x00"+binding)))
}

func (a *Accounts) openTicket(purpose, binding, ticket string, into any) bool {
	box, err := base64.RawURLEncoding.DecodeString(ticket)
	if err != nil || len(ticket) > 8<<10 {
		return false
	}
	raw, _, err := a.tickets.Open(box, []byte(purpose+"\x00"+binding))
	return err == nil && json.Unmarshal(raw, into) == nil
}

// ResetFactors is RemoveFactors by an admin's hand: the person is told by mail,
// in language. ErrNoAccount when the user has no local account.
func (a *Accounts) ResetFactors(tx store.Tx, userID, language string) error {
	pw, err := a.password(tx, userID)
	if err != nil {
		return err
	}
	if err := a.RemoveFactors(tx, userID); err != nil {
		return err
	}
	return a.mail(tx, "factor_removed", pw.Login, language, store.MailData{Account: pw.Login}, a.now().Add(noticeFor))
}
