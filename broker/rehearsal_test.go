package broker

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/federation/rehearsal"
	"gatehouse/profile"
	"gatehouse/store"
)

// draft is a test of a stored connection, after a change.
func (w *world) draft(id string, change ...func(*store.Connection)) rehearsal.Draft {
	w.t.Helper()
	d := rehearsal.Draft{ClientID: "web", Words: "words-of-" + strings.ToLower(store.NewID()[:6]), Email: mail("alice@acme.test"), Unsaved: len(change) > 0}
	if err := w.store.View(w.t.Context(), func(tx store.Tx) (err error) {
		d.Connection, err = w.store.Connections.Get(tx, id)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	for _, fn := range change {
		fn(&d.Connection)
	}
	return d
}

func mail(s string) profile.Email {
	e, _ := profile.ParseEmail(s) // a constant of the test
	return e
}

func testLink(w *world, token store.Secret) string {
	return w.url + pathTest + "?" + url.Values{"t": {token.Reveal()}}.Encode()
}

// rehearse runs a test in a fresh browser and returns its last page and result.
func (w *world) rehearse(d rehearsal.Draft) (answer, rehearsal.Test) {
	w.t.Helper()
	_, token := w.tests.Add(d)
	b := w.browser()
	page := b.get(testLink(w, token))
	if page.StatusCode != http.StatusOK {
		w.t.Fatalf("start page: %d %s", page.StatusCode, page.body)
	}
	end := b.follow(b.submit(page, nil))
	done, err := w.tests.Find(d.Words)
	if err != nil || done.State != rehearsal.Done {
		w.t.Fatalf("%v: state %s\n%d %s", err, done.State, end.StatusCode, end.body)
	}
	return end, done
}

// rows is everything the engine holds in these buckets, byte for byte.
func (w *world) rows(buckets ...string) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	w.store.Traces.Flush(w.t.Context())
	if err := w.store.View(w.t.Context(), func(tx store.Tx) error {
		for _, bucket := range buckets {
			if err := tx.Scan(bucket, nil, nil, func(k, v []byte) (bool, error) {
				out[bucket+"\x00"+string(k)] = string(v)
				return true, nil
			}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return out
}

func people() []string {
	return []string{
		"users", "identities", "memberships", "sessions", "access_requests", "grants", "codes", "used_logins", "upstream_tokens",
		"access_tokens", "consents", "traces", "traces/words", "connections", "organizations", "clients",
	}
}

// TestX9_ARehearsalLeavesNoTrace: newcomers who would join, would wait or would
// be refused, and people who are known: rows stay byte for byte.
func TestX9_ARehearsalLeavesNoTrace(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signedIn("web") // alice is known at acme
	before := w.rows(people()...)
	if len(before) < 5 {
		t.Fatalf("only %d rows to compare", len(before))
	}
	for name, tc := range map[string]struct {
		draft rehearsal.Draft
		want  rehearsal.Outcome
		admit string
	}{
		"known":             {w.draft("acme"), rehearsal.WouldSignIn, "signed_in"},
		"newcomer joins":    {w.draft("acme", func(*store.Connection) {}), rehearsal.WouldSignIn, "created"},
		"newcomer waits":    {w.draft("globex"), rehearsal.WouldWait, "pending"},
		"another's address": {w.draft("globex"), rehearsal.WouldRefuse, "refused"},
		"disabled":          {w.draft("acme", func(c *store.Connection) { c.Disabled = true }), rehearsal.WouldSignIn, "signed_in"},
	} {
		switch name {
		case "newcomer joins":
			tc.draft.Email = mail("nora@acme.test")
		case "newcomer waits":
			tc.draft.Email = mail("gus@globex.test")
		}
		end, done := w.rehearse(tc.draft)
		if done.Result.Outcome != tc.want || done.Result.Admission == nil || done.Result.Admission.Decision != tc.admit {
			t.Errorf("%s: %s %+v %+v, want %s", name, done.Result.Outcome, done.Result.Admission, done.Result.Fault, tc.want)
		}
		if end.StatusCode != http.StatusOK || !strings.Contains(end.body, tc.draft.Words) {
			t.Errorf("%s: the last page does not tell the words: %d", name, end.StatusCode)
		}
		if (done.Result.Claims != nil) != (tc.want != rehearsal.WouldRefuse) {
			t.Errorf("%s: claims %+v", name, done.Result.Claims)
		}
	}
	if after := w.rows(people()...); !maps.Equal(before, after) {
		for k, v := range after {
			if before[k] != v {
				t.Errorf("row %q is new or changed", k)
			}
		}
		for k := range before {
			if _, ok := after[k]; !ok {
				t.Errorf("row %q is gone", k)
			}
		}
	}
}

// TestX9_UnsavedStaysApart: what a test fetches under an id is never used by
// logins of that id, and a test that fails opens no breaker.
func TestX9_UnsavedStaysApart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signedIn("web")
	// The same id and revision, another provider.
	_, done := w.rehearse(w.draft("acme", func(c *store.Connection) { c.Issuer = w.globex.URL }))
	if done.Result.Outcome == rehearsal.Failed || w.globex.Requests().Counts["token"] != 1 {
		t.Fatalf("the changed record was not what was tested: %+v", done.Result.Fault)
	}
	for range 8 {
		_, done = w.rehearse(w.draft("acme", func(c *store.Connection) { c.Issuer = "http://127.0.0.1:1" }))
		if done.Result.Outcome != rehearsal.Failed || done.Result.Fault.Code != "provider_unreachable" || done.Result.Fault.Do == "" {
			t.Fatalf("got %+v", done.Result.Fault)
		}
	}
	w.signedIn("web")
	if n := w.globex.Requests().Counts["token"]; n != 1 {
		t.Errorf("logins of the connection asked the tested provider %d times", n-1)
	}
	// A connection that is not stored at all.
	d := w.draft("acme", func(c *store.Connection) { c.ID, c.Domains = "brand-new", []string{"*.acme.test", "acme.test"} })
	if _, done = w.rehearse(d); done.Result.Outcome != rehearsal.WouldSignIn {
		t.Errorf("a new connection: %s %+v %+v", done.Result.Outcome, done.Result.Fault, done.Result.Admission)
	}
}

// TestX9_OneTimeLink: looking uses nothing up; forged, used and expired links,
// and callbacks that come twice or elsewhere, lead nowhere.
func TestX9_OneTimeLink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.draft("acme")
	_, token := w.tests.Add(d)
	link := testLink(w, token)
	b := w.browser()
	for range 3 { // mail programs open links, too
		if a := b.get(link); a.StatusCode != http.StatusOK || len(a.Cookies()) != 0 {
			t.Fatalf("got %d", a.StatusCode)
		}
	}
	for name, bad := range map[string]string{
		"none": "", "forged": "t=" + store.NewID() + store.NewID(), "the id": "t=" + d.Words, "cut": "t=" + token.Reveal()[:40], "twice": "t=x&t=y",
	} {
		if a := b.get(w.url + pathTest + "?" + bad); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
		if a := b.post(w.url+pathTest, url.Values{"csrf": {strings.TrimPrefix(bad, "t=")}}); a.StatusCode != http.StatusBadRequest {
			t.Errorf("%s posted: %d", name, a.StatusCode)
		}
	}
	cross, err := http.NewRequest(http.MethodPost, w.url+pathTest, strings.NewReader(url.Values{"csrf": {token.Reveal()}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	cross.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	cross.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := b.do(cross); a.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", a.StatusCode)
	}
	// Ten people press at once: one gets it.
	var won sync.Map
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if _, err := w.tests.Begin(token.Reveal()); err == nil {
				won.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	won.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d got the test, want 1", n)
	}
	if a := b.get(link); a.StatusCode != http.StatusNotFound {
		t.Errorf("a used link: %d", a.StatusCode)
	}
	// Expired.
	_, token = w.tests.Add(w.draft("acme"))
	w.clock.add(rehearsal.Life)
	if a := b.get(testLink(w, token)); a.StatusCode != http.StatusNotFound {
		t.Errorf("an expired link: %d", a.StatusCode)
	}
	if got := w.tests.Tests(); len(got) != 0 {
		t.Errorf("%d tests are kept for ever", len(got))
	}
}

// TestS1_RehearsalCallbackOnce: another browser, another connection, a second
// time, and every page that is for logins.
func TestS1_RehearsalCallbackOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.draft("acme")
	_, token := w.tests.Add(d)
	b, stranger := w.browser(), w.browser()
	left := b.submit(b.get(testLink(w, token)), nil)
	back := b.get(left.Header.Get("Location")).Header.Get("Location")
	tx, _, _ := strings.Cut(mustQuery(t, back).Get("state"), ".")
	for name, a := range map[string]answer{
		"another browser":    stranger.get(back),
		"another connection": b.get(strings.Replace(back, "/acme?", "/globex?", 1)),
		"e-mail page":        b.get(w.url + pathLogin + "?tx=" + tx),
		"waiting room":       b.get(w.url + pathWaiting + "?tx=" + tx),
		"consent":            b.get(w.url + pathConsent + "?tx=" + tx),
		"way back":           b.get(w.url + pathBack + "?tx=" + tx),
	} {
		if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" {
			t.Errorf("%s: %d", name, a.StatusCode)
		}
	}
	if n := strings.Count(w.logs.String(), errRehearsal.Error()); n != 4 {
		t.Errorf("%d pages refused it for being a test, want 4", n)
	}
	if n := w.acme.Requests().Counts["token"]; n != 0 {
		t.Fatalf("%d token requests before the callback", n)
	}
	jar := w.browser()
	jar.client.Jar.SetCookies(mustURL(t, w.url), b.client.Jar.Cookies(mustURL(t, w.url)))
	if a := b.get(back); a.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	if a := jar.get(back); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the same callback again: %d", a.StatusCode)
	}
	if n := w.acme.Requests().Counts["token"]; n != 1 {
		t.Errorf("%d token requests, want 1", n)
	}
	// Two at once: while the first asks the provider, the second gets nothing.
	test, token := w.tests.Add(w.draft("acme"))
	if _, err := w.tests.Arrive(test.ID); err == nil {
		t.Error("it came back before it left")
	}
	if _, err := w.tests.Begin(token.Reveal()); err != nil {
		t.Fatal(err)
	}
	if _, err := w.tests.Arrive(test.ID); err != nil {
		t.Error(err)
	}
	if _, err := w.tests.Arrive(test.ID); err == nil {
		t.Error("it came back twice")
	}
	for _, c := range b.client.Jar.Cookies(mustURL(t, w.url)) {
		if strings.Contains(c.Name, "session") || strings.Contains(c.Name, "login_") {
			t.Errorf("cookie %s stays", c.Name)
		}
	}
}

func mustQuery(t *testing.T, raw string) url.Values { t.Helper(); return mustURL(t, raw).Query() }

// TestRehearsal_Parallel: many at once, each with its own result.
func TestRehearsal_Parallel(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before := w.rows(people()...)
	var wg sync.WaitGroup
	for i := range 12 {
		d := w.draft("acme")
		d.Email = mail("person" + string(rune('a'+i)) + "@acme.test")
		wg.Go(func() {
			_, done := w.rehearse(d)
			got := ""
			done.Result.Each(func(tab string, v rehearsal.Value) {
				if tab == "identity" && v.Path == "email" {
					secret, err := w.tests.Reveal(d.Words, v.Number)
					if err != nil {
						t.Error(err)
					}
					got = secret.Reveal()
				}
			})
			if got != d.Email.String() {
				t.Errorf("the result of %s is about %s", d.Email, got)
			}
		})
	}
	wg.Wait()
	if !maps.Equal(before, w.rows(people()...)) {
		t.Error("something was written")
	}
}

// TestZ1_RehearsalIsMasked: no token, code, secret or value of the person in
// result, page or log; a provider that repeats our secret does not get it out.
func TestZ1_RehearsalIsMasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.acme.SetUser("zoe", map[string]any{
		"sub": "canary-subject-1", "email": "canary.person@acme.test", "email_verified": true, "given_name": "Canaria", "family_name": "Secretis",
		"name": "Canaria Secretis", "phone_number": "+4912345678901", "echo": "mock-secret", "groups": []any{"canary-group"}, "picture": "https://canary.example/p.png",
	})
	d := w.draft("acme", func(c *store.Connection) {
		c.Selectors.Custom = map[string]profile.Selector{"teams": {Path: "teams"}, "echo": {Path: "echo", Cardinality: profile.One}}
	})
	d.Email = mail("zoe@acme.test")
	end, done := w.rehearse(d)
	if done.Result.Outcome == rehearsal.Failed {
		t.Fatalf("%+v", done.Result.Fault)
	}
	raw, err := json.Marshal(done.Result)
	if err != nil {
		t.Fatal(err)
	}
	plain := []string{"mock-secret", "Canaria", "Secretis", "canary.person", "canary-subject", "12345678901", "canary.example", "canary-group"}
	var tokens int
	done.Result.Each(func(tab string, v rehearsal.Value) {
		secret, err := w.tests.Reveal(d.Words, v.Number)
		if err == nil && v.Secret {
			plain = append(plain, secret.Reveal())
			tokens++
		}
		if err == nil && strings.Contains(secret.Reveal(), "mock-secret") {
			t.Errorf("%s %s gives our secret away", tab, v.Path)
		}
	})
	if tokens < 2 {
		t.Errorf("only %d secrets in the token response", tokens)
	}
	for _, text := range []string{string(raw), end.body, w.logs.String()} {
		for _, canary := range plain {
			if strings.Contains(text, canary) {
				t.Errorf("%.20s… is shown: %.300s", canary, text)
			}
		}
	}
	for _, want := range []string{`"shown":"c•••@acme.test"`, `"path":"$.access_token"`, `never shown`, `"matched":false`, `"endpoint":"id_token"`, `"shown":"Bearer"`, `"shown":"acme"`} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the result does not say %s:\n%s", want, raw)
		}
	}
	if _, err := w.tests.Reveal(d.Words, 100000); err == nil {
		t.Error("there is no such value")
	}
	if c := done.Connection; !c.ClientSecret.IsZero() {
		t.Error("the secret stays in memory")
	}
}

// TestRehearsal_ProposesSelectors: a selector that found nothing comes with
// paths that would have.
func TestRehearsal_ProposesSelectors(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, done := w.rehearse(w.draft("acme", func(c *store.Connection) { c.Selectors.Email.Path = "mail.address" }))
	i := slices.IndexFunc(done.Result.Identity.Selectors, func(s rehearsal.Selection) bool { return s.Attribute == "email" })
	if i < 0 {
		t.Fatalf("no email in %+v", done.Result.Identity)
	}
	s := done.Result.Identity.Selectors[i]
	if s.Matched || s.Why == "" || len(s.Proposals) == 0 || s.Proposals[0].Path != "email" {
		t.Errorf("got %+v", s)
	}
	// Also when the login cannot do without it.
	_, done = w.rehearse(w.draft("acme", func(c *store.Connection) { c.Selectors.FederationID = profile.Selector{Path: "user.id"} }))
	if done.Result.Outcome != rehearsal.Failed || done.Result.Fault.Code != "federation_id_absent" || len(done.Result.Identity.Selectors) == 0 ||
		len(done.Result.Identity.Selectors[0].Proposals) == 0 || len(done.Result.Token) != 2 {
		t.Errorf("got %+v %+v", done.Result.Fault, done.Result.Identity)
	}
}

// TestRehearsal_Failures: the exact code, and what came until then.
func TestRehearsal_Failures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for fault, want := range map[string]struct {
		code    string
		outcome rehearsal.Outcome
		tokens  int
	}{
		"wrong_nonce":         {"id_token_nonce", rehearsal.Failed, 1},
		"token_500":           {"provider_unavailable", rehearsal.Failed, 0},
		"error_access_denied": {"denied_by_user", rehearsal.Cancelled, 0},
	} {
		w.acme.SetFault(fault, 1)
		end, done := w.rehearse(w.draft("acme"))
		w.acme.ClearFaults()
		r := done.Result
		if r.Outcome != want.outcome || r.Fault == nil || r.Fault.Code != want.code || r.Fault.Do == "" || len(r.Token) != want.tokens || r.Admission != nil {
			t.Errorf("%s: %s %+v, %d token responses", fault, r.Outcome, r.Fault, len(r.Token))
		}
		if end.StatusCode != http.StatusOK || !strings.Contains(end.body, "does not work yet") {
			t.Errorf("%s: %d %s", fault, end.StatusCode, end.body)
		}
	}
}

// TestS5_RehearsalFormPost: also of a record that only the test has.
func TestS5_RehearsalFormPost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.draft("acme", func(c *store.Connection) { c.ResponseMode = "form_post" })
	_, token := w.tests.Add(d)
	b, provider := w.browser(), w.browser()
	left := b.submit(b.get(testLink(w, token)), nil)
	a := b.get(left.Header.Get("Location"))
	form := url.Values{}
	for _, part := range strings.Split(a.body, "<input")[1:] {
		name, _, _ := strings.Cut(afterText(part, `name="`), `"`)
		value, _, _ := strings.Cut(afterText(part, `value="`), `"`)
		form.Set(name, strings.NewReplacer("&#43;", "+", "&amp;", "&", "&#34;", `"`).Replace(value))
	}
	posted := provider.post(w.url+"/login/callback/acme", form)
	if posted.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", posted.StatusCode, posted.body)
	}
	if end := b.get(posted.Header.Get("Location")); end.StatusCode != http.StatusOK || !strings.Contains(end.body, "The sign-in works") {
		t.Errorf("%d %s", end.StatusCode, end.body)
	}
	if again := provider.post(w.url+"/login/callback/acme", form); again.StatusCode != http.StatusBadRequest {
		t.Errorf("after the test a posted answer is taken: %d", again.StatusCode)
	}
}

// TestRehearsal_RingIsBounded: the oldest make room, and big answers do not
// fill the memory.
func TestRehearsal_RingIsBounded(t *testing.T) {
	t.Parallel()
	book := rehearsal.New(time.Now)
	for range rehearsal.Size + 50 {
		book.Add(rehearsal.Draft{Words: store.NewID()})
	}
	if n := len(book.Tests()); n != rehearsal.Size {
		t.Errorf("%d tests are kept, want %d", n, rehearsal.Size)
	}
	huge := map[string]any{}
	for range 1000 {
		huge[store.NewID()] = strings.Repeat("x", 900)
	}
	raw, err := json.Marshal(huge)
	if err != nil {
		t.Fatal(err)
	}
	r := rehearsal.Empty()
	r.Token = append(r.Token, r.Read("token", "https://x.test/", 200, "application/json", raw))
	test, token := book.Add(rehearsal.Draft{Words: "big"})
	if _, err := book.Begin(token.Reveal()); err != nil {
		t.Fatal(err)
	}
	if err := book.Finish(test.ID, r); err != nil {
		t.Fatal(err)
	}
	kept := 0
	for i := 1; ; i++ {
		s, err := book.Reveal("big", i)
		if err != nil {
			break
		}
		kept += len(s.Reveal())
	}
	if kept > 128<<10 || len(r.Token[0].Values) > 250 || r.Token[0].Note == "" {
		t.Errorf("%d bytes and %d values of a huge answer are kept (%s)", kept, len(r.Token[0].Values), r.Token[0].Note)
	}
	if err := book.Finish(test.ID, r); err == nil {
		t.Error("a test is finished twice")
	}
}
