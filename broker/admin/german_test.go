package admin_test

import (
	"bytes"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"gatehouse/federation"
	"gatehouse/store"
	"gatehouse/templates"
)

// speaking is a browser that asks for a language.
type speaking string

func (l speaking) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Accept-Language", string(l))
	return http.DefaultTransport.RoundTrip(r)
}

func (s *site) speaker(language, cookie string) *caller {
	return &caller{s: s, cookie: cookie, client: &http.Client{
		Transport: speaking(language), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// pageTexts are the texts of a page that people read or hear: whole text nodes
// and labels. What is exact (code, addresses, text to edit) is not among them.
func pageTexts(t *testing.T, body []byte) map[string]bool {
	t.Helper()
	root, err := html.Parse(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]bool{}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if a.Key == "aria-label" || a.Key == "data-label" {
				texts[a.Val] = true
			}
		}
		if text := strings.Join(strings.Fields(n.Data), " "); n.Type == html.TextNode && text != "" {
			exact := n.Parent.Data == "code" || n.Parent.Data == "pre" || n.Parent.Data == "textarea" || n.Parent.Data == "script" || n.Parent.Data == "style"
			if !exact {
				texts[text] = true
			}
		}
	}
	return texts
}

var letters = regexp.MustCompile(`[A-Za-z]{2}`)

// sameInGerman reports whether a text may stand in German pages as it stands in
// English ones: a value of the sample world, a name, a term of the protocols.
func sameInGerman(text string) bool {
	if !letters.MatchString(text) || sampleValue.MatchString(text) {
		return true
	}
	return slices.Contains(strings.Fields(sameWords), strings.ReplaceAll(text, " ", "_"))
}

var sampleValue = regexp.MustCompile(`^(?:(?:Person|Company|Sign-in|App) of )?[a-z0-9.@·_:/+()-]*(?:acme|globex|example)[a-z0-9.@·_:/+()-]*(?: \([a-z-]+\))?$|^(?:Person|Company|Sign-in|App) (?:of )?(?:acme|globex)(?: \([a-z-]+\))?$|^User [0-9A-Za-z]{4}$|Gatehouse|^gatehouse [a-z]+ |^\$\.|^the organization takes newcomers$|•••@|…@|^[a-z]+(?:[._/][a-z_]+)+(?: [a-z]+/[a-z.@-]+)?$`)

// sameWords are spelled alike in both languages, or are names.
const sameWords = `
App Apps Domain Domains Name Person Admin Plan Text Version Webhook Webhooks Token Scopes Scope PKCE Nonce Login_Hint Domain_Hint Userinfo Routing Logo Passkey Passkeys
OpenID_Connect JSON CSV Subject_(sub) Show_in_English Auf_Deutsch_anzeigen en de See_Other
Yahoo Salesforce Ping_Identity OneLogin Okta Microsoft_Entra_ID LinkedIn Keycloak Instagram Google GitLab GitHub Facebook Box Auth0 Apple Amazon
amber-river-otter host request_digest cli api test invitation YAML Claims Bearer email phone picture profile Wiki_(wiki)
birthdate gender locale middle_name nickname phone_number_verified preferred_username website zoneinfo
`

func germanLeft(t *testing.T, what string, english, german answer) {
	t.Helper()
	if english.status != german.status {
		t.Errorf("%s: %d in English, %d in German", what, english.status, german.status)
	}
	if !strings.HasPrefix(german.header.Get("Content-Type"), "text/html") {
		return
	}
	if got := german.header.Get("Content-Language"); got != "de" && german.status != http.StatusSeeOther {
		t.Errorf("%s: Content-Language %q", what, got)
	}
	before := pageTexts(t, english.body)
	for text := range pageTexts(t, german.body) {
		if before[text] && !sameInGerman(text) {
			t.Errorf("%s: %q stands there in English", what, text)
		}
	}
}

// TestConsole_AllInGerman draws every page in both languages: what is the same
// in both is a value, or a word without German.
func TestConsole_AllInGerman(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.twoCompanies()
	cookie := s.session(s.user(store.RoleOwner).ID)
	english, german := s.speaker("en", cookie), s.speaker("de", cookie)
	pages := 0
	for _, r := range s.handler.Routes() {
		if !r.Page || r.Method != "GET" || r.Path == "/static/" || strings.HasPrefix(r.Path, "/mail-kinds/") {
			continue // previews of mails are in the mail's own language
		}
		path := fillFor(t, r.Path, "acme")
		e, g := english.get(path), german.get(path)
		if e.status == http.StatusOK {
			pages++
		}
		germanLeft(t, "GET "+path, e, g)
	}
	if pages < 30 {
		t.Errorf("only %d pages were drawn", pages)
	}
	words := s.failedAndTested()
	for _, path := range words {
		germanLeft(t, "GET "+path, english.get(path), german.get(path))
	}
	for _, name := range []string{"acme", "entra", "apple", "keycloak", "instagram", "ping"} {
		germanLeft(t, "preset "+name, english.get("/new/connection/"+name), german.get("/new/connection/"+name))
	}
	for _, form := range []struct {
		path   string
		fields url.Values
	}{
		{"/routing", url.Values{"address": {"a@acme.example"}}},
		{"/routing", url.Values{"address": {"a@nowhere.example"}}},
		{"/routing", url.Values{"address": {"nobody"}}},
		{"/connections/acme/edit", url.Values{"title": {""}, "issuer": {"http://x"}, "domains": {"acme gmail.com"}, "kind": {"oidc"}, "selectors.email": {"a..b..c"}, "profile.kind": {"url"}, "revision": {"1"}}},
		{"/connections/acme/json", url.Values{"record": {`{"kind": 1, "titel": "x", "scopes": [1]}`}, "revision": {"1"}}},
		{"/connections/acme/test", url.Values{"client": {"none"}}},
		{"/new/connection/keycloak", url.Values{"id": {"A B"}, "values.server": {"x"}}},
	} {
		fields := func() url.Values {
			f := url.Values{}
			for k, v := range form.fields {
				f[k] = v
			}
			return f
		}
		germanLeft(t, "POST "+form.path, english.post(form.path, form.path, fields()), german.post(form.path, form.path, fields()))
	}
}

// failedAndTested keeps a login that failed and a test login with a result, and
// gives their pages.
func (s *site) failedAndTested() []string {
	s.t.Helper()
	r := s.store.Traces.Recorder()
	r.Begin("brave-cedar-heron", s.clock.now())
	ctx := store.WithTrace(s.t.Context(), r)
	r.About(store.About{Client: "acme-app", Connection: "acme", Organization: "acme"})
	for _, name := range []store.StepName{
		store.StepAuthorize, store.StepRoute, store.StepLeave, store.StepReturn, store.StepRedeem, store.StepProfile, store.StepSelect, store.StepAdmit, store.StepIssue, store.StepToken,
	} {
		store.Step(ctx, name, store.Bool("browser", true), store.Int("bytes", 12)).Done(nil)
	}
	store.Step(ctx, store.StepVerify).Done(&federation.Error{Code: federation.CodeIDTokenKeyUnknown})
	r.Close()
	owner := s.as(store.RoleOwner)
	want(s.t, owner.api("POST", "/clients", map[string]any{"id": "wiki", "type": "native", "name": "Wiki", "redirect_uris": []string{"com.example.app:/cb"}}), http.StatusCreated)
	return []string{"/traces/brave-cedar-heron", "/traces", "/tests/" + s.tested(owner)}
}

// TestConsole_FirstStepsInGerman: the pages of an installation without anything
// in it, and those of people who are not signed in.
func TestConsole_FirstStepsInGerman(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/signin", "/forgot", "/setup"} {
		germanLeft(t, "GET "+path, s.speaker("en", "").get(path), s.speaker("de", "").get(path))
	}
	wrong := url.Values{"email": {"nobody@staff.example"}, "password": {"wrong"}}
	germanLeft(t, "POST /signin", s.signInAs("en", wrong), s.signInAs("de", wrong))
	cookie := s.session(s.user(store.RoleOwner).ID)
	english, german := s.speaker("en", cookie), s.speaker("de", cookie)
	for _, r := range s.handler.Routes() {
		if r.Page && r.Method == "GET" && r.Path != "/static/" && !strings.HasPrefix(r.Path, "/mail-kinds") && (!strings.Contains(r.Path, "{") || r.Path == "/{$}") {
			path := strings.TrimSuffix(r.Path, "{$}")
			germanLeft(t, "GET "+path, english.get(path), german.get(path))
		}
	}
}

func (s *site) signInAs(language string, fields url.Values) answer {
	s.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	c := s.speaker(language, "")
	c.client.Jar = jar
	return c.post("/signin", "/signin", maps.Clone(fields))
}

// TestConsole_LanguageSwitch: people choose the language of their pages, and
// leave it to the browser again.
func TestConsole_LanguageSwitch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	u := s.user(store.RoleOwner)
	c := s.speaker("en", s.session(u.ID))
	shown := func() string {
		body := string(want(t, c.get("/account"), http.StatusOK).body)
		for _, language := range templates.Languages() {
			if strings.Contains(body, `<html lang="`+language+`">`) {
				return language
			}
		}
		return ""
	}
	for _, step := range []struct{ choose, want string }{{"de", "de"}, {"en", "en"}, {"de", "de"}, {"", "en"}} {
		want(t, c.post("/account/language", "/account", url.Values{"language": {step.choose}}), http.StatusSeeOther)
		if got := shown(); got != step.want {
			t.Errorf("after choosing %q the page is in %q, want %q", step.choose, got, step.want)
		}
	}
	want(t, c.post("/account/language", "/account", url.Values{"language": {"tlh"}}), http.StatusUnprocessableEntity)
	audit := string(s.as(store.RoleOwner).api("GET", "/audit?limit=50", nil).body)
	if strings.Count(audit, `"user.language"`) != 4 {
		t.Errorf("not written down four times: %s", audit)
	}
}
