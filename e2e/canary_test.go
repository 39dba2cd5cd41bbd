package e2e

import (
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestZ1_NoSecretLeavesTheProcess signs people in in every way, right and
// wrong, with everything secret on the wire remembered, and then looks for it
// in logs, metrics and files (SECURITY-CASES Z1). The same search runs over all
// other tests at the end, see TestMain.
func TestZ1_NoSecretLeavesTheProcess(t *testing.T) {
	t.Parallel()
	w, err := startDev(filepath.Join(t.TempDir(), "dev"), "--verbose")
	if err != nil {
		t.Fatal(err)
	}
	a, web := w.native(t), w.web(t)

	// A login from start to end, and what an app does with its tokens.
	b := a.browser(w)
	tokens := a.tokens(b, w.person(t, "acme.test"))
	a.userinfo(tokens.text("access_token"))
	second := a.refresh(tokens.text("refresh_token"))
	a.send("/oauth2/revoke", url.Values{"token": {second.text("refresh_token")}})
	b.get(w.Issuer + "/oauth2/logout?" + url.Values{"id_token_hint": {tokens.text("id_token")}}.Encode())
	wb := web.browser(w)
	tokens = web.tokens(wb, w.person(t, "acme.test"))
	web.active(tokens.text("access_token"))

	// The waiting room, with the approval through console and form.
	who := w.person(t, "globex.test")
	b, r := a.browser(w), a.authorization()
	p := a.signIn(b, r, who)
	waiting := p.url.String()
	owner := w.browser(t)
	console := owner.get(w.Admin + "/requests")
	owner.submit(console, "submit", map[string]string{"email": w.Owner.Email, "password": "planted-wrong-password"})
	console = owner.submit(console, "submit", map[string]string{"email": w.Owner.Email, "password": w.Owner.Password})
	owner.submit(console, "approve-"+w.api(t).requestOf(who.email), nil)
	a.redeem(a.code(b.get(waiting), r), r.verifier)

	// A client and a connection with planted secrets.
	w.secrets.add("planted", "planted-upstream-client-secret")
	w.api(t).createClient(map[string]any{"id": "planted", "type": "web", "name": "Planted", "redirect_uris": []string{"https://planted.example/cb"}})
	w.api(t).call(http.StatusCreated, http.MethodPost, "/connections", map[string]any{
		"id": "planted", "organization": "acme", "title": "Planted", "domains": []string{"sub.acme.test"}, "issuer": w.idp("acme").Issuer,
		"client_id": "gatehouse", "client_secret": "planted-upstream-client-secret", "allow_private_network": true,
	})

	// Everything that goes wrong, with secrets in the wrong places.
	for _, planted := range []string{"planted-code-in-vain-0123456789", "planted-secret-in-vain-0123456789", "planted-token-in-vain-0123456789"} {
		w.secrets.add("planted", planted)
	}
	web.redeem("planted-code-in-vain-0123456789", r.verifier)
	web.refresh("planted-token-in-vain-0123456789")
	a.userinfo("planted-token-in-vain-0123456789")
	wrong := newApp(t, w, "demo-web", "planted-secret-in-vain-0123456789", web.redirect)
	wrong.redeem("planted-code-in-vain-0123456789", "")
	b.get(w.Issuer + "/login/callback/acme?" + url.Values{"code": {"planted-code-in-vain-0123456789"}, "state": {random() + "." + random()}}.Encode())
	b.get(w.Issuer + "/oauth2/userinfo?" + url.Values{"access_token": {"planted-token-in-vain-0123456789"}}.Encode())
	b.post(w.Issuer+"/oauth2/token?"+url.Values{"client_secret": {"planted-secret-in-vain-0123456789"}}.Encode(), url.Values{"code": {"planted-code-in-vain-0123456789"}})
	r = a.authorization()
	r.params.Set("redirect_uri", "https://evil.example/?code=planted-code-in-vain-0123456789")
	b.get(a.authorizeURL(r))
	for _, fault := range []string{"wrong_nonce", "bad_signature", "token_garbage", "token_500", "huge_error_description", "not_a_jwt"} {
		b, r := a.browser(w), a.authorization()
		p := b.submit(b.get(a.authorizeURL(r)), "submit", map[string]string{"email": w.person(t, "acme.test").email})
		b.submit(b.get(p.url.String()+"&fault="+fault), "submit", nil)
	}

	texts := map[string][]byte{}
	for _, path := range []string{"/metrics", "/healthz", "/readyz"} {
		texts[path] = fetch(t, w.Admin+path)
	}
	if err := w.proc.stop(); err != nil {
		t.Error(err)
	}
	texts["standard error"] = []byte(w.proc.stderr.String())
	texts["standard output"] = []byte(w.screenWithoutCredentials())
	if !strings.Contains(w.proc.stderr.String(), "login failed") || len(w.secrets.seen) < 100 {
		t.Errorf("the search proves nothing: %d bytes of log, %d secrets", len(w.proc.stderr.String()), len(w.secrets.seen))
	}
	for _, leak := range w.secrets.foundIn(texts) {
		t.Error(leak)
	}

	// At rest, what opens a door is a hash or sealed. nonce and the app's own
	// state are no keys; dev.json is there to tell the credentials.
	for _, leak := range w.secrets.only("code", "access_token", "refresh_token", "client_secret", "password", "secret", "cookie", "planted", "Authorization").foundIn(filesOf(t, w.Data)) {
		t.Error(leak)
	}
}

func fetch(t *testing.T, address string) []byte {
	t.Helper()
	resp, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || len(body) == 0 {
		t.Fatalf("%s: got %d, %d bytes, %v", address, resp.StatusCode, len(body), err)
	}
	return body
}

// filesOf are all files of a folder but dev.json and the master key, which are
// there to be kept secret themselves.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	texts := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "dev.json" || d.Name() == "master.key" {
			return err
		}
		raw, err := os.ReadFile(path)
		texts[d.Name()] = raw
		return err
	})
	if err != nil || len(texts) == 0 {
		t.Fatalf("files of %s: %v %v", dir, texts, err)
	}
	return texts
}
