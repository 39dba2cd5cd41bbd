package local

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/profile"
	"gatehouse/store"
	"gatehouse/store/storetest"
)

const (
	testIssuer = "https://login.example"
	password   = "correct horse battery"
)

// world is Accounts over a real store with a clock of its own.
type world struct {
	*Accounts
	t  *testing.T
	mu sync.Mutex
	at time.Time
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, at: time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)}
	w.Accounts = New(Config{Store: storetest.OpenAt(t, w.clock), Issuer: testIssuer, Now: w.clock})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

func (w *world) update(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.Update(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) view(fn func(store.Tx) error) {
	w.t.Helper()
	if err := w.store.View(w.t.Context(), fn); err != nil {
		w.t.Fatal(err)
	}
}

// account keeps a user with a password ("" for none yet) and a local identity.
func (w *world) account(login, password string, proven bool) store.User {
	w.t.Helper()
	hash := ""
	if password != "" {
		var err error
		if hash, err = w.Hash(w.t.Context(), password); err != nil {
			w.t.Fatal(err)
		}
	}
	email := w.email(login)
	u := store.User{ID: store.NewID(), Status: store.UserActive, Attributes: profile.Attributes{Email: email.String()}}
	w.update(func(tx store.Tx) error {
		return errors.Join(
			w.store.Users.Insert(tx, u),
			w.store.Identities.Insert(tx, store.Identity{
				ConnectionID: "acme-local", Issuer: testIssuer, Subject: u.ID, UserID: u.ID, Attributes: u.Attributes, EmailVerified: proven,
			}),
			w.Insert(tx, u.ID, email, hash),
		)
	})
	return u
}

func (w *world) email(s string) profile.Email {
	w.t.Helper()
	e, err := profile.ParseEmail(s)
	if err != nil {
		w.t.Fatal(err)
	}
	return e
}

// network makes up an address for each try, so that only the account's own
// pause is seen.
func (w *world) network(n int) string { return fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255) }

// mails are the links and kinds that wait to be sent, the newest last.
func (w *world) mails() (kinds []string, links []string) {
	w.t.Helper()
	w.view(func(tx store.Tx) error {
		kinds, links = nil, nil
		for m, err := range w.store.Mails.All(tx) {
			if err != nil {
				return err
			}
			data, err := m.Data.Reveal()
			if err != nil {
				return err
			}
			_, link, _ := strings.Cut(data.Reveal(), "token=")
			link, _, _ = strings.Cut(link, `"`)
			kinds, links = append(kinds, m.Kind), append(links, link)
		}
		return nil
	})
	return kinds, links
}

// TestY2_UnknownLoginCostsTheSame: one argon2id hash for an unknown login, a
// wrong password, an account without one and a right one; and all but the right
// one cost one write.
func TestY2_UnknownLoginCostsTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.account("ann@acme.test", password, true)
	w.account("bea@acme.test", "", true)
	off := w.account("off@acme.test", password, true)
	off.Status, off.Revision = store.UserDisabled, 1
	w.update(func(tx store.Tx) error { return w.store.Users.Put(tx, off) })
	for i, try := range []struct{ login, password string }{
		{"ann@acme.test", "wrong horse battery"}, {"nobody@acme.test", password}, {"bea@acme.test", ""}, {"off@acme.test", password},
	} {
		before := w.hasher.count.Load()
		_, err := w.SignIn(t.Context(), Try{Login: try.login, Password: try.password, From: w.network(i)})
		if !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", try.login, err)
		}
		if got := w.hasher.count.Load() - before; got != 1 {
			t.Errorf("%s: %d hashes, want 1", try.login, got)
		}
	}
	if p, err := w.SignIn(t.Context(), Try{Login: " ANN@acme.test ", Password: password, From: w.network(9)}); err != nil || p.UserID == "" {
		t.Errorf("right password: %v", err)
	}
}

// TestY2_MediansWithinNoise: over many interleaved tries, known and unknown
// logins take as long. Medians are compared with each other and with their own
// spread, never with a clock time.
func TestY2_MediansWithinNoise(t *testing.T) {
	w := newWorld(t)
	w.account("ann@acme.test", password, true)
	const rounds = 15
	took := map[bool][]time.Duration{}
	for i := range 2 * rounds {
		known := i%2 == 0
		login := fmt.Sprintf("nobody%d@acme.test", i)
		if known {
			login = "ann@acme.test"
			w.advance(time.Minute) // past any pause
		}
		start := time.Now()
		_, err := w.SignIn(t.Context(), Try{Login: login, Password: "wrong horse battery", From: w.network(i)})
		took[known] = append(took[known], time.Since(start))
		if !errors.Is(err, ErrWrong) {
			t.Fatal(err)
		}
	}
	slices.Sort(took[true])
	slices.Sort(took[false])
	known, unknown := took[true][rounds/2], took[false][rounds/2]
	// Noise: what lies between the quartiles of either.
	noise := max(took[true][3*rounds/4]-took[true][rounds/4], took[false][3*rounds/4]-took[false][rounds/4])
	if diff := (known - unknown).Abs(); diff > noise+min(known, unknown)/5 {
		t.Errorf("medians of %d tries: known %s, unknown %s; apart by %s, noise %s", rounds, known, unknown, diff, noise)
	}
	t.Logf("medians of %d tries: known %s, unknown %s, noise %s", rounds, known, unknown, noise)
}

// TestY9_NoPasswordUnlessSet: an account without a password takes none, also
// not the empty one or its own hash.
func TestY9_NoPasswordUnlessSet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.account("ann@acme.test", "", true)
	for i, guess := range []string{"", "password", u.ID, w.hasher.dummy} {
		if _, err := w.SignIn(t.Context(), Try{Login: "ann@acme.test", Password: guess, From: w.network(i)}); !errors.Is(err, ErrWrong) {
			t.Errorf("%q: %v", guess, err)
		}
	}
	if err := w.AskReset(t.Context(), "federated@acme.test", w.network(9), ""); err != nil {
		t.Fatal(err)
	}
	if kinds, _ := w.mails(); len(kinds) != 0 {
		t.Errorf("a mail for nobody's account: %v", kinds)
	}
}

// TestY5_TOTP: RFC 6238's own values, each code once, one step to either side,
// and 10,000 guesses get nowhere.
func TestY5_TOTP(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := totpCode([]byte("12345678901234567890"), at/30); got != want[2:] { // RFC 6238 appendix B has 8 digits
			t.Errorf("%d: %s, want %s", at, got, want[2:])
		}
	}
	w := newWorld(t)
	u := w.account("ann@acme.test", password, true)
	seed := w.enrol(u.ID)
	code := func(steps int64) string { return totpCode(seed, totpStep(w.clock())+steps) }
	try := func(typed string, n int) error { return w.Code(t.Context(), u.ID, typed, w.network(n)) }

	if err := try(code(0), 1); !errors.Is(err, ErrWrong) {
		t.Errorf("the code of the enrolment counted twice: %v", err)
	}
	w.advance(30 * time.Second)
	if err := try(code(-1), 2); !errors.Is(err, ErrWrong) {
		t.Errorf("an older code than the last one: %v", err)
	}
	if err := try(code(1), 3); err != nil {
		t.Errorf("a clock that is ahead: %v", err)
	}
	if err := try(code(0), 4); !errors.Is(err, ErrWrong) {
		t.Errorf("a code before the last one taken: %v", err)
	}
	w.advance(time.Minute)
	if err := try(code(2), 5); !errors.Is(err, ErrWrong) {
		t.Errorf("two steps ahead: %v", err)
	}
	spaced := code(0)[:3] + " " + code(0)[3:]
	if err := try(spaced, 6); err != nil {
		t.Errorf("a code with a space: %v", err)
	}
	wrong, paused := 0, 0
	for i := range 10_000 {
		switch err := try("000000", 100+i); {
		case errors.Is(err, ErrPaused):
			paused++
		case errors.Is(err, ErrWrong):
			wrong++
		default:
			t.Fatal(err)
		}
		w.advance(100 * time.Millisecond)
	}
	if wrong > 20 || paused < 9900 {
		t.Errorf("%d of 10,000 guesses were looked at in 17 minutes", wrong)
	}
	w.advance(factorPause)
	if err := try(code(0), 7); err != nil {
		t.Errorf("locked for good: %v", err)
	}
}

// enrol sets an authenticator app up and returns its seed.
func (w *world) enrol(userID string) []byte {
	w.t.Helper()
	e, err := w.NewTOTP(userID, "ann@acme.test")
	if err != nil {
		w.t.Fatal(err)
	}
	var ticket totpTicket
	if !w.openTicket("totp", userID, e.Ticket, &ticket) {
		w.t.Fatal("the ticket does not open")
	}
	c, err := w.ConfirmTOTP(userID, e.Ticket, totpCode(ticket.Seed, totpStep(w.clock())))
	if err != nil {
		w.t.Fatal(err)
	}
	w.update(func(tx store.Tx) error { return w.KeepTOTP(tx, c) })
	return ticket.Seed
}

// TestY5_ParallelGuesses: of 64 sent at once five are looked at, and of 16 that
// are the same right code one counts.
func TestY5_ParallelGuesses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ann, bea := w.account("ann@acme.test", password, true), w.account("bea@acme.test", password, true)
	w.enrol(ann.ID)
	seed := w.enrol(bea.ID)
	w.advance(time.Minute)
	var looked, right atomic.Int32
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			if err := w.Code(t.Context(), ann.ID, fmt.Sprintf("%06d", i), w.network(i)); errors.Is(err, ErrWrong) {
				looked.Add(1)
			} else if err == nil {
				t.Error("a guess was right")
			}
		})
		if i < 16 {
			wg.Go(func() {
				if w.Code(t.Context(), bea.ID, totpCode(seed, totpStep(w.clock())), w.network(1000+i)) == nil {
					right.Add(1)
				}
			})
		}
	}
	wg.Wait()
	if looked.Load() != 5 || right.Load() != 1 {
		t.Errorf("%d guesses were looked at, want 5; one code counted %d times, want 1", looked.Load(), right.Load())
	}
}

// TestY5_RecoveryCodes: ten, long enough, each once, in any spelling people use;
// they leave with the last factor.
func TestY5_RecoveryCodes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.account("ann@acme.test", password, true)
	w.enrol(u.ID)
	codes := NewRecoveryCodes()
	w.update(func(tx store.Tx) error { return w.KeepRecoveryCodes(tx, u.ID, codes) })
	if len(codes.Plain) != 10 || len(strings.ReplaceAll(codes.Plain[0], "-", ""))*5 < 80 {
		t.Fatalf("%d codes like %q", len(codes.Plain), codes.Plain[0])
	}
	for i, typed := range []string{codes.Plain[0], strings.ToUpper(codes.Plain[1]), strings.ReplaceAll(codes.Plain[2], "-", " ")} {
		if err := w.Code(t.Context(), u.ID, typed, w.network(i)); err != nil {
			t.Errorf("%q: %v", typed, err)
		}
	}
	if err := w.Code(t.Context(), u.ID, codes.Plain[0], w.network(9)); !errors.Is(err, ErrWrong) {
		t.Errorf("the same again: %v", err)
	}
	var has Factors
	w.view(func(tx store.Tx) (err error) { has, err = w.Factors(tx, u.ID, nil); return err })
	if has.Recovery != 7 || !has.TOTP {
		t.Errorf("left: %+v", has)
	}
	w.update(func(tx store.Tx) error { return w.RemoveTOTP(tx, u.ID) })
	if err := w.Code(t.Context(), u.ID, codes.Plain[5], w.network(10)); !errors.Is(err, ErrWrong) {
		t.Errorf("a recovery code without a factor: %v", err)
	}
}

// TestY8_MailThrottleIsBounded: asking for mails for ever new addresses leaves
// memory flat, and one address gets three at once.
func TestY8_MailThrottleIsBounded(t *testing.T) {
	t.Parallel()
	l := newThrottle(time.Now)
	for i := range 30_000 {
		l.mail(fmt.Sprintf("p%d@acme.test", i))
	}
	if n := len(l.mails.items); n != maxThrottleKeys {
		t.Errorf("%d addresses kept", n)
	}
	sent := 0
	for range 10 {
		if l.mail("ann@acme.test") {
			sent++
		}
	}
	if sent != 3 {
		t.Errorf("%d mails at once", sent)
	}
}

// TestPasswordFault: length and what everybody tries first; no classes.
func TestPasswordFault(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"correct horse battery", "aqueous-tinker-plum", "ÄÖÜ sind lustig", "fjellrev i snøen", "9e107d9d372bb682"} {
		if wrong := PasswordFault(good, "ann@acme.test"); wrong != "" {
			t.Errorf("%q %s", good, wrong)
		}
	}
	for _, bad := range []string{
		"", "short", "elevenchars", "password1234", "P4ssw0rd!!!!!", "123456789012", "aaaaaaaaaaaa", "abcabcabcabc", "qwertyuiop12", "Ann.archer@acme.test",
		"annarcher2026", "abcdefghijkl", strings.Repeat("long enough ", 30), "willkommen2026!",
	} {
		login := "ann@acme.test"
		if strings.HasPrefix(strings.ToLower(bad), "ann") {
			login = "ann.archer@acme.test"
			if bad == "annarcher2026" {
				login = "annarcher@acme.test"
			}
		}
		if PasswordFault(bad, login) == "" {
			t.Errorf("%q is fine", bad)
		}
	}
}

// TestY4_OfficeBehindOneAddress: what counts against a network is failures: 100
// people sign in at nine, and a guesser among them is stopped after ten.
func TestY4_OfficeBehindOneAddress(t *testing.T) {
	t.Parallel()
	l := newThrottle(time.Now)
	for range 100 {
		if !l.network("192.0.2.1") {
			t.Fatal("somebody who was right is kept out")
		}
		l.right("192.0.2.1")
	}
	guesses := 0
	for range 50 {
		if l.network("192.0.2.1") {
			guesses++
		}
	}
	if guesses != 10 {
		t.Errorf("%d guesses at once", guesses)
	}
}
