package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// fingerprint gives the tab a device that keeps passkeys and is always touched
// by the right finger.
func (w *tab) fingerprint() {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.ctx, patience)
	defer stop()
	if _, err := chromedp.Call(ctx, webauthn.Enable, webauthn.EnableParams{}); err != nil {
		w.t.Fatal(err)
	}
	_, err := chromedp.Call(ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: &webauthn.VirtualAuthenticatorOptions{
		Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}})
	if err != nil {
		w.t.Fatal(err)
	}
}

// authenticatorApp is a phone's app with one seed.
type authenticatorApp struct {
	t    testing.TB
	seed []byte
	last string
}

func (w *tab) scan() *authenticatorApp {
	w.t.Helper()
	w.at("#secret")
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(w.text("#secret"), " ", ""))
	if err != nil {
		w.t.Fatal(err)
	}
	return &authenticatorApp{t: w.t, seed: seed}
}

// code is one that was not shown before: each counts once. It takes the next
// step's early rather than wait for half a minute.
func (a *authenticatorApp) code() string {
	a.t.Helper()
	for ahead := range int64(2) {
		var counter [8]byte
		for i, step := 7, time.Now().Unix()/30+ahead; i >= 0; i, step = i-1, step>>8 {
			counter[i] = byte(step)
		}
		mac := hmac.New(sha1.New, a.seed)
		mac.Write(counter[:])
		sum := mac.Sum(nil)
		at := sum[19] & 15
		number := (uint32(sum[at])<<24 | uint32(sum[at+1])<<16 | uint32(sum[at+2])<<8 | uint32(sum[at+3])) & 0x7fffffff
		if code := fmt.Sprintf("%06d", number%1_000_000); code != a.last {
			a.last = code
			return code
		}
	}
	a.t.Fatal("two codes in one minute are all there are")
	return ""
}

var mailedLink = regexp.MustCompile(`https?://[^\s"<>]+token=(?:[^\s"<>=]|=\r?\n|=3D)+`)

// mailTo waits for the newest mail with a link to an address.
func (w *world) mailTo(t testing.TB, address, subject string) (link string) {
	t.Helper()
	eventually(t, 20*time.Second, "a mail to "+address, func() bool {
		files, err := filepath.Glob(filepath.Join(w.Data, "mail", "*.eml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				continue // it is just being written
			}
			text := string(raw)
			if !strings.Contains(text, address) || !strings.Contains(text, subject) {
				continue
			}
			if found := mailedLink.FindString(text); found != "" {
				link = strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(found)
			}
		}
		return link != ""
	})
	return link
}

// TestBrowser_LocalAccount: a console account gets a passkey, an authenticator
// app and recovery codes, and signs in with each of them.
func TestBrowser_LocalAccount(t *testing.T) {
	t.Parallel()
	c := startChrome(t)
	who := shared.person(t, "admins.test")
	made := shared.api(t).call(http.StatusCreated, http.MethodPost, "/users", map[string]any{"email": who.email, "name": "Dana Whitfield", "platform_role": "admin"})
	password := made["password"].(string)
	shared.secrets.add("made-up password", password)

	w := c.tab(t, look{wide: true})
	w.fingerprint()
	signIn := func(next string) {
		t.Helper()
		w.open(shared.Admin + "/signin")
		w.fill("email", who.email)
		w.fill("password", password)
		w.press("submit", next)
	}
	signIn("#signout")
	w.open(shared.Admin + "/account")
	w.good("console-account")
	w.press("go-passkey", "#use-passkey")
	w.good("passkey-new")
	w.fill("passkey-name", "Work laptop")
	w.press("use-passkey", "#codes") // the first factor comes with recovery codes
	w.good("recovery-codes")
	codes := strings.Fields(w.text("#codes"))
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	w.press("submit", "#go-totp")
	w.says("main", "Work laptop")

	w.press("go-totp", "#qr")
	w.good("totp-new")
	app := w.scan()
	w.fill("code", app.code())
	w.press("submit", "#notice")
	w.says("main", "set up")

	// With the passkey alone: nobody types an address.
	w.press("signout", "#use-passkey")
	w.good("console-sign-in")
	w.press("use-passkey", "#signout")
	w.says(".person", "Dana Whitfield")

	// Password and code.
	w.press("signout", "#password")
	signIn("#code")
	w.good("factor")
	w.fill("code", "000000")
	w.press("submit", "#error")
	w.fill("code", app.code())
	w.press("submit", "#signout")

	// Password and a recovery code, which counts once.
	w.press("signout", "#password")
	signIn("#code")
	w.fill("code", codes[0])
	w.press("submit", "#signout")
	w.press("signout", "#password")
	signIn("#code")
	w.fill("code", codes[0])
	w.press("submit", "#error")
	w.press("use-passkey", "#signout")
	w.open(shared.Admin + "/account")
	w.says("main", "9")
	w.complaints("console account")
}

// TestBrowser_LocalSignIn: an admin makes an account, its owner sets the
// password by the mailed link, signs in to the app, forgets the password, and
// sets another.
func TestBrowser_LocalSignIn(t *testing.T) {
	t.Parallel()
	c := startChrome(t)
	org := fmt.Sprintf("local%d", shared.people.Add(1))
	domain := org + ".test"
	a := shared.api(t)
	a.call(http.StatusCreated, http.MethodPost, "/organizations", map[string]any{"id": org, "title": "Contractors", "join": "off"})
	a.call(http.StatusCreated, http.MethodPost, "/organizations/"+org+"/domains", map[string]any{"name": domain})
	a.call(http.StatusOK, http.MethodPost, "/organizations/"+org+"/domains/"+domain+"/assert", nil)
	a.call(http.StatusCreated, http.MethodPost, "/connections", map[string]any{"id": org, "organization": org, "kind": "local", "title": "Contractors", "domains": []string{domain}})
	email := "cara@" + domain
	a.call(http.StatusCreated, http.MethodPost, "/connections/"+org+"/accounts", map[string]any{"email": email, "name": "Cara Cole"})

	w := c.tab(t, look{})
	setPassword := func(password string) {
		t.Helper()
		shared.secrets.add("chosen password", password)
		link := shared.mailTo(t, email, "password")
		shared.secrets.add("mailed token", link[strings.LastIndex(link, "=")+1:])
		w.open(link)
		w.good("set-password")
		w.fill("password", password)
		w.fill("password_again", password)
		w.press("submit", "#note")
		w.says("h1", "Your password is set")
	}
	setPassword("fjord-lantern-copper-seven")
	w.open(shared.Demo)
	w.press("signin", "#email")
	w.fill("email", email)
	w.press("submit", "#password")
	w.good("local-sign-in")
	w.fill("password", "not the right one at all")
	w.press("submit", "#error")
	w.fill("password", "fjord-lantern-copper-seven")
	w.press("submit", "#name")
	w.says("body", email)

	// Forgotten.
	other := c.tab(t, look{})
	other.open(shared.Demo)
	other.press("signin", "#email")
	other.fill("email", email)
	other.press("submit", "#forgot")
	other.press("forgot", "#submit")
	other.good("forgot-password")
	before := shared.mailTo(t, email, "password")
	other.press("submit", "#sent")
	eventually(t, 20*time.Second, "another mail", func() bool { return shared.mailTo(t, email, "password") != before })
	setPassword("another fjord and lantern")
	w.complaints("local sign-in")
	other.complaints("forgotten password")
}
