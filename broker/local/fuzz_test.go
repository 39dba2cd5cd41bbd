package local

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	"gatehouse/store"
)

// FuzzPasskeyAnswer: whatever a browser's script sends is read or refused, and
// nothing made up is ever a passkey that signs somebody in.
func FuzzPasskeyAnswer(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "null", "[]", `{"id":"AA","rawId":"AA","type":"public-key","response":{}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","clientExtensionResults":{},"response":{"clientDataJSON":"e30","authenticatorData":"AAAA","signature":"AA","userHandle":"QQ"}}`,
		`{"id":"AA","rawId":"AA","type":"public-key","clientExtensionResults":{},"response":{"clientDataJSON":"eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0","attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUE"}}`,
		strings.Repeat("[", 10000), `{"response":{"attestationObject":"` + base64.RawURLEncoding.EncodeToString([]byte{0xbf, 0xff}) + `"}}`,
	} {
		f.Add(seed)
	}
	rp, err := NewRelyingParty("https://login.example")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, answer string) {
		if len(answer) > maxAnswer {
			return
		}
		if made, err := parseCreation(answer); err == nil && made == nil {
			t.Error("neither read nor refused")
		}
		used, err := parseAssertion(answer)
		if err != nil {
			return
		}
		p := person{id: string(used.Response.UserHandle)}
		_, session, err := rp.web.BeginDiscoverableLogin()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rp.web.ValidateLogin(p, *session, used); err == nil {
			t.Error("a made-up answer signs somebody in")
		}
	})
}

// FuzzCodes: a typed code is six digits or a recovery code of one spelling, or
// none at all.
func FuzzCodes(f *testing.F) {
	for _, seed := range []string{"123456", "123 456", " 123456 ", "12345", "１２３４５６", "abcd-efgh-ijkl-mnop", "ABCDEFGHIJKLMNOP", "abcdefghijklmno", "aaaa-bbbb-cccc-dddd-eeee", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		if code := digits(typed); code != "" && (len(code) != 6 || strings.Trim(code, "0123456789") != "") {
			t.Errorf("digits(%q) = %q", typed, code)
		}
		if digits(typed) != "" && recoveryHash(typed) != "" {
			t.Errorf("%q is both", typed)
		}
		if recoveryHash(typed) != recoveryHash(strings.ToLower(typed)) && recoveryHash(strings.ToLower(typed)) != "" && recoveryHash(typed) != "" {
			t.Errorf("%q has two readings", typed)
		}
	})
}

// FuzzPHC: a damaged hash is refused, never a panic or all of memory.
func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePHC(s)
		if err == nil && (h.memory > 256<<10 || h.time > 10 || h.threads > 4 || len(h.key) < 16) {
			t.Errorf("%q asks for too much", s)
		}
	})
}

// TestPasskey_Tickets: an answer counts for the ceremony, the browser and the
// time it was asked in.
func TestPasskey_Tickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.account("ann@acme.test", password, true)
	rp, err := NewRelyingParty("https://login.example:8443")
	if err != nil || rp.id != "login.example" {
		t.Fatal(rp, err)
	}
	for _, address := range []string{"http://127.0.0.1:9000", "http://[::1]:9000"} {
		if rp, err := NewRelyingParty(address); rp != nil || err != nil {
			t.Errorf("%s: %v %v", address, rp, err)
		}
	}
	asked, err := w.AskPasskey(t.Context(), rp, "", "tab-1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(asked.Options, `"userVerification":"required"`) || strings.Contains(asked.Options, "allowCredentials") {
		t.Errorf("options: %s", asked.Options)
	}
	made, err := w.NewPasskey(t.Context(), rp, u.ID, "ann@acme.test", "tab-1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(made.Options, `"residentKey":"required"`) || !strings.Contains(made.Options, `"rp":{"name":"Gatehouse","id":"login.example"}`) {
		t.Errorf("options: %s", made.Options)
	}
	var ticket passkeyTicket
	for name, opens := range map[string]bool{"tab-1": true, "tab-2": false, "": false} {
		if got := w.openTicket("passkey-use", name, asked.Ticket, &ticket); got != opens {
			t.Errorf("binding %q: %v", name, got)
		}
	}
	if w.openTicket("passkey-new", "tab-1", asked.Ticket, &ticket) {
		t.Error("a ticket for using makes passkeys")
	}
	if _, err := w.CheckPasskey(t.Context(), rp, "tab-1", asked.Ticket, "{}", w.network(1)); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
	w.advance(ticketFor)
	if _, err := w.CheckPasskey(t.Context(), rp, "tab-1", asked.Ticket, "{}", w.network(2)); !errors.Is(err, ErrWrong) {
		t.Error(err)
	}
	// A challenge counts once.
	spend := func() error {
		return w.store.Update(t.Context(), func(tx store.Tx) error { return w.spend(tx, "challenge", w.clock().Add(time.Hour)) })
	}
	if err := spend(); err != nil {
		t.Fatal(err)
	}
	if err := spend(); !errors.Is(err, ErrWrong) {
		t.Errorf("a challenge twice: %v", err)
	}
}
