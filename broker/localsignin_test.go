package broker

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/broker/local"
	"gatehouse/profile"
	"gatehouse/provisioning"
	"gatehouse/store"
)

const localPassword = "correct horse battery"

// local adds an organization whose people have accounts here.
func (w *world) local() {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		return errors.Join(
			w.store.Organizations.Insert(ch.Tx, store.Organization{ID: "contractors", Title: "Contractors", Join: store.JoinOff}),
			w.store.Domains.Insert(ch.Tx, store.Domain{Name: "contractor.test", OrganizationID: "contractors", State: store.DomainAsserted}),
			w.store.Connections.Insert(ch.Tx, store.Connection{
				ID: "contractors", OrganizationID: "contractors", Kind: store.KindLocal, Title: "Contractors", Domains: []string{"contractor.test"},
			}),
		)
	})
}

// account makes a local account.
func (w *world) account(address, role string, proven bool) store.User {
	w.t.Helper()
	hash, err := w.broker.accounts.Hash(w.t.Context(), localPassword)
	if err != nil {
		w.t.Fatal(err)
	}
	email, err := profile.ParseEmail(address)
	if err != nil {
		w.t.Fatal(err)
	}
	u := store.User{ID: store.NewID(), Status: store.UserActive, Attributes: profile.Attributes{Email: email.String(), DisplayName: "Cara Cole"}}
	w.change(func(ch *store.Change) error {
		return errors.Join(
			w.store.Users.Insert(ch.Tx, u),
			w.store.Identities.Insert(ch.Tx, store.Identity{
				ConnectionID: "contractors", Issuer: w.url, Subject: u.ID, UserID: u.ID, Attributes: u.Attributes, EmailVerified: proven,
			}),
			w.store.Memberships.Insert(ch.Tx, store.Membership{OrganizationID: "contractors", UserID: u.ID, Role: role}),
			w.broker.accounts.Insert(ch.Tx, u.ID, email, hash),
		)
	})
	return u
}

// atPassword goes to the page that asks for the password.
func (b *browser) atPassword(address string, more url.Values) (page answer, verifier string) {
	b.w.t.Helper()
	params, verifier := b.w.ask("native")
	params.Set("login_hint", address)
	for k, v := range more {
		params[k] = v
	}
	page = b.follow(b.get(b.w.url + pathAuthorize + "?" + params.Encode()))
	if page.StatusCode != http.StatusOK || page.Request.URL.Path != pathLocal {
		b.w.t.Fatalf("at %s with %d:\n%s", page.Request.URL, page.StatusCode, page.body)
	}
	return page, verifier
}

func (b *browser) givePassword(page answer, address, password string) answer {
	b.w.t.Helper()
	return b.follow(b.submit(page, url.Values{"email": {address}, "password": {password}}))
}

// localMails are the links in mails of a kind, the oldest first.
func (w *world) localMails(kind string) (links []string) {
	w.t.Helper()
	w.change(func(ch *store.Change) error {
		links = nil
		for m, err := range w.store.Mails.All(ch.Tx) {
			if err != nil {
				return err
			}
			data, err := m.Data.Reveal()
			if err != nil {
				return err
			}
			_, link, _ := strings.Cut(data.Reveal(), `"link":"`)
			link, _, _ = strings.Cut(link, `"`)
			if m.Kind == kind {
				links = append(links, link)
			}
		}
		return nil
	})
	return links
}

func totpAt(seed []byte, at time.Time) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(at.Unix()/30))
	mac := hmac.New(sha1.New, seed)
	mac.Write(counter[:])
	sum := mac.Sum(nil)
	i := sum[19] & 15
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[i:i+4])&0x7fffffff%1_000_000)
}

var shownSecret = regexp.MustCompile(`id="secret">([A-Z2-7 ]+)<`)

func seedOn(t *testing.T, page answer) []byte {
	t.Helper()
	m := shownSecret.FindStringSubmatch(page.body)
	if m == nil {
		t.Fatalf("no secret at %s:\n%s", page.Request.URL, page.body)
	}
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(m[1], " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return seed
}

// TestLocal_FromPasswordToTokens: an account that lives here signs in like any
// other identity: our issuer and the user's id, one pipeline, fresh when asked.
func TestLocal_FromPasswordToTokens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	u := w.account("cara@contractor.test", store.RoleUser, true)
	b := w.browser()
	page, verifier := b.atPassword("cara@contractor.test", nil)
	if !strings.Contains(page.body, `value="cara@contractor.test"`) {
		t.Error("the address is not filled in")
	}
	page = b.givePassword(page, "cara@contractor.test", "wrong horse battery")
	if page.StatusCode != http.StatusUnauthorized || !strings.Contains(page.body, sayWrongLocal) {
		t.Fatalf("wrong password: %d\n%s", page.StatusCode, page.body)
	}
	got := w.redeem("native", w.toApp(b.givePassword(page, "cara@contractor.test", localPassword)).Get("code"), verifier)
	claims := claimsOf(t, got.ID)
	if _, info := w.userinfo(got.Access); claims["sub"] != u.ID || info["email"] != "cara@contractor.test" || info["email_verified"] != true {
		t.Errorf("claims: %v, userinfo: %v", claims, info)
	}
	if amr := fmt.Sprint(claims["amr"]); amr != "[pwd]" {
		t.Errorf("amr %s", amr)
	}
	if claims["acr"] != acrFederated || time.Since(time.Unix(int64(claims["auth_time"].(float64)), 0)).Abs() > time.Minute {
		t.Errorf("acr %v, auth_time %v", claims["acr"], claims["auth_time"])
	}
	first := b.sessionCookie()
	// A live session is enough, unless the app wants a fresh sign-in.
	params, _ := w.ask("native")
	params.Del("login_hint")
	if code := b.authorize(params).Get("code"); code == "" {
		t.Error("the session signs nobody in")
	}
	for _, more := range []url.Values{{"prompt": {"login"}}, {"max_age": {"0"}}} {
		page, _ = b.atPassword("cara@contractor.test", more)
		if code := w.toApp(b.givePassword(page, "cara@contractor.test", localPassword)).Get("code"); code == "" {
			t.Errorf("%v: no code", more)
		}
	}
	if again := b.sessionCookie(); again == first || again == "" {
		t.Error("L1: the session id was not renewed")
	}
	if s := refreshed(w, got); s != http.StatusOK {
		t.Errorf("refresh: %d", s)
	}
	// The gate holds for it as for every connection.
	w.change(func(ch *store.Change) error {
		c, err := w.store.Connections.Get(ch.Tx, "contractors")
		if err != nil {
			return err
		}
		c.Disabled = true
		return w.store.Connections.Put(ch.Tx, c)
	})
	if s := refreshed(w, got); s != http.StatusBadRequest {
		t.Errorf("refresh through a connection that is off: %d", s)
	}
}

func refreshed(w *world, got tokens) int {
	w.t.Helper()
	return w.refresh("native", got.Refresh).status
}

// TestLocal_SecondFactor: with one, the password alone opens nothing; the codes
// of tokens say how the person signed in.
func TestLocal_SecondFactor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	u := w.account("cara@contractor.test", store.RoleAdmin, true)
	b := w.browser()
	page, verifier := b.atPassword("cara@contractor.test", nil)
	page = b.givePassword(page, "cara@contractor.test", localPassword)
	if page.Request.URL.Path != pathEnrol { // an admin of the organization needs one
		t.Fatalf("at %s", page.Request.URL)
	}
	seed := seedOn(t, page)
	page = b.submit(page, url.Values{"code": {"000000"}})
	if page.StatusCode != http.StatusUnauthorized || !slices.Equal(seedOn(t, page), seed) {
		t.Fatalf("a wrong first code: %d, or another seed", page.StatusCode)
	}
	page = b.submit(page, url.Values{"code": {totpAt(seed, w.clock.now())}})
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `id="codes"`) {
		t.Fatalf("no recovery codes: %d\n%s", page.StatusCode, page.body)
	}
	got := w.redeem("native", w.toApp(b.follow(b.submit(page, nil))).Get("code"), verifier)
	if amr := fmt.Sprint(claimsOf(t, got.ID)["amr"]); amr != "[pwd otp mfa]" {
		t.Errorf("amr %s", amr)
	}

	thief := w.browser()
	page, _ = thief.atPassword("cara@contractor.test", nil)
	page = thief.givePassword(page, "cara@contractor.test", localPassword)
	if page.Request.URL.Path != pathFactor {
		t.Fatalf("at %s", page.Request.URL)
	}
	tx := page.Request.URL.Query().Get("tx")
	if a := thief.follow(thief.get(w.url + pathEnrol + "?tx=" + tx)); a.Request.URL.Path != pathFactor {
		t.Errorf("a password alone may add a factor: at %s", a.Request.URL)
	}
	for _, code := range []string{"000000", totpAt(seed, w.clock.now())} { // the second was used
		if page = thief.submit(page, url.Values{"code": {code}}); page.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%s: %d", code, page.StatusCode)
		}
	}
	w.clock.add(30 * time.Second)
	if code := w.toApp(thief.follow(thief.submit(page, url.Values{"code": {totpAt(seed, w.clock.now())}}))).Get("code"); code == "" {
		t.Error("the right code opens nothing")
	}
	// The password changes between password and factor: that sign-in is over.
	late := w.browser()
	page, _ = late.atPassword("cara@contractor.test", nil)
	page = late.givePassword(page, "cara@contractor.test", localPassword)
	hash, err := w.broker.accounts.Hash(t.Context(), "another horse battery")
	if err != nil {
		t.Fatal(err)
	}
	w.clock.add(time.Minute)
	w.change(func(ch *store.Change) error { return w.broker.accounts.SetPassword(ch.Tx, u.ID, hash, "", "") })
	if a := late.submit(page, url.Values{"code": {totpAt(seed, w.clock.now())}}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the old password goes on after its change: %d", a.StatusCode)
	}
}

// TestY1_LocalSignInTellsNothing: nobody, a wrong password, a disabled account,
// a federated person and an account of another connection look the same.
func TestY1_LocalSignInTellsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	w.account("cara@contractor.test", store.RoleUser, true)
	off := w.account("off@contractor.test", store.RoleUser, true)
	other := w.account("staff@contractor.test", store.RoleUser, true)
	w.change(func(ch *store.Change) error {
		off.Status, off.Revision = store.UserDisabled, 1
		return errors.Join(w.store.Users.Put(ch.Tx, off), w.store.Identities.Delete(ch.Tx, store.IdentityKey("contractors", w.url, other.ID)))
	})
	w.login("native") // alice@acme.test is federated now: Y9
	noise := regexp.MustCompile(`(tx=|value=")[^"]*"|data-options="[^"]*"`)
	var pages []string
	for _, try := range []struct{ address, password string }{
		{"nobody@contractor.test", localPassword},
		{"cara@contractor.test", "wrong horse battery"},
		{"off@contractor.test", localPassword},
		{"staff@contractor.test", localPassword},
		{"alice@acme.test", ""},
		{"alice@acme.test", localPassword},
	} {
		b := w.browser()
		page, _ := b.atPassword("x@contractor.test", nil)
		a := b.givePassword(page, try.address, try.password)
		if a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %d", try.address, a.StatusCode)
		}
		pages = append(pages, noise.ReplaceAllString(a.body, ""))
		w.clock.add(10 * time.Second)
	}
	for i := range pages {
		if pages[i] != pages[0] {
			t.Errorf("page %d differs:\n%s\n%s", i, pages[0], pages[i])
		}
	}
}

// TestLocal_ForgottenPassword: the same answer for everybody; the link works
// once, looking does not use it up, and everything the old password opened ends.
func TestLocal_ForgottenPassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	w.account("cara@contractor.test", store.RoleUser, true)
	b := w.browser()
	page, verifier := b.atPassword("cara@contractor.test", nil)
	got := w.redeem("native", w.toApp(b.givePassword(page, "cara@contractor.test", localPassword)).Get("code"), verifier)

	lost := w.browser()
	page, _ = lost.atPassword("cara@contractor.test", nil)
	forgot := lost.get(strings.Replace(page.Request.URL.String(), pathLocal, pathForgot, 1))
	known := lost.submit(forgot, url.Values{"email": {"cara@contractor.test"}})
	unknown := lost.submit(forgot, url.Values{"email": {"nobody@contractor.test"}})
	if known.body != unknown.body || known.StatusCode != unknown.StatusCode {
		t.Error("Y1: the answers differ")
	}
	links := w.localMails("reset_password")
	if len(links) != 1 || !strings.HasPrefix(links[0], w.url+local.PathReset+"?token=") {
		t.Fatalf("mailed: %q", links)
	}
	fresh := w.browser() // a mail is read anywhere
	fresh.get(links[0])
	page = fresh.get(links[0])
	if a := fresh.submit(page, url.Values{"password": {"short"}, "password_again": {"short"}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a short password: %d", a.StatusCode)
	}
	form := url.Values{"token": {strings.TrimPrefix(links[0], w.url+local.PathReset+"?token=")}, "password": {"another horse battery"}, "password_again": {"another horse battery"}}
	if a := fresh.post(w.url+local.PathReset, form); a.StatusCode != http.StatusForbidden {
		t.Errorf("without the page's token: %d", a.StatusCode)
	}
	if a := fresh.submit(page, url.Values{"password": {"another horse battery"}, "password_again": {"another horse battery"}}); a.StatusCode != http.StatusOK {
		t.Fatalf("reset: %d\n%s", a.StatusCode, a.body)
	}
	if fresh.sessionCookie() != "" {
		t.Error("a reset signs in")
	}
	if a := fresh.get(links[0]); a.StatusCode != http.StatusGone {
		t.Errorf("the link again: %d", a.StatusCode)
	}
	if s := refreshed(w, got); s != http.StatusBadRequest {
		t.Errorf("L4: the phone goes on with %d", s)
	}
	params, _ := w.ask("native")
	params.Set("prompt", "none")
	if e := b.authorize(params).Get("error"); e != "login_required" {
		t.Errorf("L4: the browser session lives: %q", e)
	}
	page, _ = fresh.atPassword("cara@contractor.test", nil)
	if a := fresh.givePassword(page, "cara@contractor.test", "another horse battery"); w.toApp(a).Get("code") == "" {
		t.Error("the new password opens nothing")
	}
	if len(w.localMails("password_changed")) != 1 {
		t.Error("nobody told the person")
	}
	if strings.Contains(w.logs.String(), form.Get("token")) || strings.Contains(w.logs.String(), "horse battery") {
		t.Error("Z1: a secret is in the log")
	}
}

// TestN3_UnprovenAddressGetsNothing: an account whose address nobody has proven
// opens nothing, and is over when the address's owner arrives by another way.
func TestN3_UnprovenAddressGetsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	hijack := w.account("alice@acme.test", store.RoleUser, false)
	attacker := w.browser()
	page, _ := attacker.atPassword("x@contractor.test", nil)
	page = attacker.givePassword(page, "alice@acme.test", localPassword)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, "Confirm your e-mail address first") || attacker.sessionCookie() != "" {
		t.Fatalf("an unproven address: %d\n%s", page.StatusCode, page.body)
	}
	links := w.localMails("prove_email")
	if len(links) != 1 {
		t.Fatalf("mailed: %q", links)
	}
	// The victim gets the mail: without the account's password it proves nothing.
	victim := w.browser()
	page = victim.get(links[0])
	if !strings.Contains(page.body, "alice@acme.test") {
		t.Error("N7: the page does not name the account")
	}
	if a := victim.submit(page, url.Values{"password": {"what the victim would type"}}); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("proven without the password: %d", a.StatusCode)
	}
	w.login("native") // the victim signs in at the company's own provider
	w.change(func(ch *store.Change) error {
		if _, _, err := w.broker.accounts.Login(ch.Tx, hijack.ID); !errors.Is(err, local.ErrNoAccount) {
			t.Errorf("the attacker's password lives: %v", err)
		}
		return nil
	})
	if a := victim.get(links[0]); a.StatusCode != http.StatusGone {
		t.Errorf("the attacker's link lives: %d", a.StatusCode)
	}
}

// TestN7_ProofNeedsThePassword: with it the owner proves the address and is in.
func TestN7_ProofNeedsThePassword(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	w.account("cara@contractor.test", store.RoleUser, false)
	b := w.browser()
	page, _ := b.atPassword("cara@contractor.test", nil)
	b.givePassword(page, "cara@contractor.test", localPassword)
	if a := b.submit(b.get(w.localMails("prove_email")[0]), url.Values{"password": {localPassword}}); a.StatusCode != http.StatusOK {
		t.Fatalf("proof: %d\n%s", a.StatusCode, a.body)
	}
	page, _ = b.atPassword("cara@contractor.test", nil)
	if code := w.toApp(b.givePassword(page, "cara@contractor.test", localPassword)).Get("code"); code == "" {
		t.Error("a proven address opens nothing")
	}
}

// inviteLocally makes an invitation and returns its link.
func (w *world) inviteLocally(address, role string) string {
	w.t.Helper()
	email, err := profile.ParseEmail(address)
	if err != nil {
		w.t.Fatal(err)
	}
	made := provisioning.NewInvitationToken()
	w.change(func(ch *store.Change) error {
		_, err := w.provisioner.Invite(ch, "contractors", provisioning.Invitee{Email: email, Role: role}, "olga", made)
		return err
	})
	return w.url + pathInvitation + "?t=" + made.Token
}

// TestLocal_InvitedPersonJoins: the mailed link is the proof of the address; the
// account is made in the update that accepts the invitation.
func TestLocal_InvitedPersonJoins(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	link := w.inviteLocally("dora@contractor.test", store.RoleUser)
	b := w.browser()
	page := b.follow(b.submit(b.get(link), nil))
	if page.Request.URL.Path != pathLocal {
		t.Fatalf("at %s with %d\n%s", page.Request.URL, page.StatusCode, page.body)
	}
	join := b.get(strings.Replace(page.Request.URL.String(), pathLocal, pathJoin, 1))
	if !strings.Contains(join.body, "dora@contractor.test") {
		t.Fatalf("the page does not name the address:\n%s", join.body)
	}
	if a := b.submit(join, url.Values{"password": {localPassword}, "password_again": {"another horse battery"}}); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("two passwords: %d", a.StatusCode)
	}
	done := b.follow(b.submit(join, url.Values{"name": {"Dora Dell"}, "password": {localPassword}, "password_again": {localPassword}}))
	if done.StatusCode != http.StatusOK || done.Request.URL.Path != pathWelcome {
		t.Fatalf("at %s with %d\n%s", done.Request.URL, done.StatusCode, done.body)
	}
	if a := b.get(link); a.StatusCode != http.StatusNotFound {
		t.Errorf("the invitation again: %d", a.StatusCode)
	}
	fresh := w.browser()
	page, verifier := fresh.atPassword("dora@contractor.test", nil)
	got := w.redeem("native", w.toApp(fresh.givePassword(page, "dora@contractor.test", localPassword)).Get("code"), verifier)
	if _, info := w.userinfo(got.Access); info["email"] != "dora@contractor.test" || info["email_verified"] != true || info["name"] != "Dora Dell" {
		t.Errorf("userinfo: %v", info)
	}
}

// TestG11_NoAccountWithoutInvitation: the page that makes accounts is closed to
// who was not invited, and for another organization's connection.
func TestG11_NoAccountWithoutInvitation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	b := w.browser()
	page, _ := b.atPassword("eve@contractor.test", nil)
	if strings.Contains(page.body, `id="join"`) {
		t.Error("an account is offered to anybody")
	}
	here := strings.Replace(page.Request.URL.String(), pathLocal, pathJoin, 1)
	if a := b.get(here); a.StatusCode != http.StatusForbidden {
		t.Errorf("the page: %d", a.StatusCode)
	}
	csrf := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(page.body)[1]
	form := url.Values{"csrf": {csrf}, "password": {localPassword}, "password_again": {localPassword}}
	if a := b.post(here, form); a.StatusCode != http.StatusForbidden {
		t.Errorf("posted directly: %d", a.StatusCode)
	}
}

// TestL2_CrossSiteLocalForms: another site cannot sign a browser in as somebody.
func TestL2_CrossSiteLocalForms(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.local()
	w.account("mallory@contractor.test", store.RoleUser, true)
	b := w.browser()
	page, _ := b.atPassword("x@contractor.test", nil)
	form := url.Values{"email": {"mallory@contractor.test"}, "password": {localPassword}}
	if a := b.post(page.Request.URL.String(), form); a.StatusCode != http.StatusForbidden {
		t.Errorf("without the form's token: %d", a.StatusCode)
	}
	form.Set("csrf", regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(page.body)[1])
	req, err := http.NewRequest(http.MethodPost, page.Request.URL.String(), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := b.do(req); a.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", a.StatusCode)
	}
	if a := w.browser().post(page.Request.URL.String(), form); a.StatusCode != http.StatusBadRequest {
		t.Errorf("in another browser: %d", a.StatusCode)
	}
}
