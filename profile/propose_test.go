package profile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPropose(t *testing.T) {
	t.Parallel()
	const (
		entra  = `{"sub":"AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ","oid":"690222be-ff1a-4d56-abd1-7e4f7d38e474","upn":"jane@acme.test","preferred_username":"jane@acme.test","xms_edov":true,"aud":"a","nonce":"n","ver":"2.0"}`
		github = `{"login":"jane","id":583231,"avatar_url":"https://avatars.example/u/583231?v=4","html_url":"https://github.example/jane","name":"Jane Doe","email":null,"two_factor_authentication":true}`
		emails = `[{"email":"old@acme.test","primary":false,"verified":true},{"email":"jane@acme.test","primary":true,"verified":true}]`
		nested = `{"id":"0001","name":{"first":"John","last":"Doe","display":"john.doe"},"email":["john.doe@gmail.com","john.doe@hotmail.com"],"phone":"1234567890"}`
		scim   = `{"userName":"jane","externalId":"7","name":{"givenName":"Jane","familyName":"Doe","formatted":"Jane Doe"},"emails":[{"value":"jane@acme.test","primary":true}],"groups":[{"display":"a","value":"g-1"},{"display":"b","value":"g-2"}],"phoneNumbers":[{"value":"+49 30 1234567"}]}`
		urls   = `{"sub":"x","https://example.com/groups":["admin","dev"],"https://example.com/email":"jane@acme.test"}`
	)
	for _, tc := range []struct {
		doc    string
		wanted string
		failed Selector
		first  string // the proposal at the head; "" for none at all
		sample string
	}{
		{entra, "email", Selector{Path: "email"}, "upn", "j…@a….test"},
		{entra, "email_verified", Selector{Path: "email_verified"}, "xms_edov", "true"},
		{entra, "federation_id", Selector{Path: "id"}, "sub", "A… (43 characters)"},
		{`{"edov":"1"}`, "email_verified", Selector{Path: "xms_edov", TrueAs: []string{"1"}}, "edov", "true"},
		{`{"edov":"1"}`, "email_verified", Selector{Path: "xms_edov"}, "", ""},
		{github, "picture", Selector{Path: "picture"}, "avatar_url", "https://avatars.example/…"},
		{github, "federation_id", Selector{Path: "sub"}, "id", "5… (6 characters)"},
		{github, "display_name", Selector{Path: "displayName"}, "name", "J… (8 characters)"},
		{github, "email", Selector{Path: "mail"}, "", ""},
		{emails, "email", Selector{Path: "email"}, "$[?@.primary==true].email", "j…@a….test"},
		{emails, "email_verified", Selector{Path: "email_verified"}, "$[?@.primary==true].verified", "true"},
		{nested, "email", Selector{Path: "mail"}, "email[0]", "j…@g….com"},
		{nested, "first_name", Selector{Path: "given_name"}, "name.first", "J… (4 characters)"},
		{nested, "last_name", Selector{Path: "family_name"}, "name.last", "…"},
		{nested, "display_name", Selector{Path: "display"}, "name.display", "j… (8 characters)"},
		{nested, "phone", Selector{Path: "phone_number"}, "phone", "1… (10 characters)"},
		{nested, "phone", Selector{Path: "Phone"}, "phone", "1… (10 characters)"},
		{scim, "email", Selector{Path: "email"}, "$.emails[?@.primary==true].value", "j…@a….test"},
		{scim, "first_name", Selector{Path: "given_name"}, "name.givenName", "J… (4 characters)"},
		{scim, "phone", Selector{Path: "phone_number"}, "phoneNumbers[0].value", "+… (14 characters)"},
		{scim, "custom.groups", Selector{Path: "groups[*].name"}, "groups[*].value", "… and 1 more"},
		{urls, "custom.groups", Selector{Path: "groups"}, "$['https://example.com/groups']", "a… (5 characters) and 1 more"},
		{urls, "email", Selector{Path: "email"}, "$['https://example.com/email']", "j…@a….test"},
		{`{"favourite-colour":"green","shoe size":41}`, "custom.color", Selector{Path: "favorite_colour"}, "favourite-colour", "g… (5 characters)"},
		{`{"favourite-colour":"green","shoe size":41}`, "custom.size", Selector{Path: "shoesize"}, "$['shoe size']", "…"},
		{`{"dial":"+49"}`, "phone", Selector{Path: "mobile"}, "", ""},
		{`{"line":"+49 30 1234567"}`, "phone", Selector{Path: "mobile"}, "line", "+… (14 characters)"},
		{`{"em\u202email":"a@b.test"}`, "email", Selector{Path: "email"}, "", ""},
		{nested, "nonsense", Selector{Path: "x"}, "", ""},
		{`"just a text"`, "email", Selector{Path: "x"}, "", ""},
		{`{`, "email", Selector{Path: "x"}, "", ""},
	} {
		got := Propose(Documents{Profile: json.RawMessage(tc.doc)}, tc.wanted, tc.failed)
		if tc.first == "" {
			if len(got) > 0 {
				t.Errorf("%s of %s: %+v, want none", tc.wanted, tc.doc, got)
			}
			continue
		}
		if len(got) == 0 || got[0].Selector.Path != tc.first || got[0].Sample != tc.sample || got[0].Selector.Source != FromProfile {
			t.Errorf("%s of %s: %+v, want %s, %s", tc.wanted, tc.doc, got, tc.first, tc.sample)
		}
	}
}

// What is proposed can be saved as it is and finds a value; what the failed
// selector counts as missing is not proposed.
func TestProposalsWork(t *testing.T) {
	t.Parallel()
	d := Documents{
		IDToken:       json.RawMessage(`{"sub":"x","mail":"N/A","upn":"a@b.test"}`),
		Profile:       json.RawMessage(`{"mails":[{"value":"old@b.test"},{"value":"new@b.test","primary":true}],"contact":{"mail":"c@b.test"},"a":"d@b.test","b":"e@b.test","c":"f@b.test"}`),
		TokenResponse: json.RawMessage(`{"access_token":"secret@token.test","user":{"email":"g@b.test"}}`),
	}
	failed := Selector{Path: "email", Missing: []string{"N/A"}}
	got := Propose(d, "email", failed)
	if len(got) != maxProposals {
		t.Errorf("%d proposals: %+v", len(got), got)
	}
	for _, p := range got {
		s := only("sub")
		s.Email = p.Selector
		a, _, err := mustCompile(t, s).Select(d)
		if err != nil || a.Email == "" || mask(a.Email) != p.Sample || p.Selector.Source == "" || !slices.Equal(p.Selector.Missing, failed.Missing) {
			t.Errorf("%+v found %q, %v", p, a.Email, err)
		}
	}
	// The failed path in the document it was not looked for in.
	got = Propose(d, "email", Selector{Path: "user.email", Source: FromProfile})
	if !slices.ContainsFunc(got, func(p Proposal) bool {
		return p.Selector.Path == "user.email" && p.Selector.Source == FromTokenResponse
	}) {
		t.Errorf("got %+v", got)
	}
}

// Canaries in tokens and in values never show.
func TestProposalsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	const canary = "canary"
	d := Documents{TokenResponse: json.RawMessage(`{"access_token":"canary-1@x.test","id_token":"canary2","refresh_token":"canary3","client_secret":"canary4","nested":{"apiToken":"canary5","password":"canary6"},
		"email":"canary7@canary.test","picture":"https://user.test/canary8?token=canary9","phone":"+canary10","groups":["canary11"],"id":"canary12","assertion":"canary13"}`)}
	for _, wanted := range []string{"federation_id", "first_name", "last_name", "display_name", "email", "email_verified", "phone", "picture", "custom.groups", "custom.access_token", "custom.assertion", "custom.password"} {
		for _, p := range Propose(d, wanted, Selector{Path: "nothing"}) {
			if strings.Contains(fmt.Sprintf("%+v", p), canary) || strings.Contains(p.Selector.Path, "token") {
				t.Errorf("%s: %+v", wanted, p)
			}
		}
	}
}

// The largest documents that are read, of the worst shapes.
func TestX8_ProposeIsBounded(t *testing.T) {
	t.Parallel()
	var wide, lists strings.Builder
	for i := range 18_000 {
		fmt.Fprintf(&wide, `"emai%05d%s":"a%d@b.test",`, i, strings.Repeat("x", 20), i)
		if i%4 == 0 {
			lists.WriteString(`[{"email":[{"email":[{"primary":true,"email":"x"}]}]}],`)
		}
	}
	start := time.Now()
	for _, doc := range []string{
		"{" + wide.String() + `"z":1}`,
		"[" + lists.String() + "0]",
		strings.Repeat(`{"email":[`, 31) + `"a@b.test"` + strings.Repeat("]}", 31),
	} {
		raw := json.RawMessage(doc)
		if _, err := ParseJSON(raw, WideLimits()); err != nil {
			t.Fatal(err)
		}
		for _, wanted := range []string{"email", "custom.email"} {
			if got := Propose(Documents{IDToken: raw, Profile: raw, TokenResponse: raw}, wanted, Selector{Path: "e_mail"}); len(got) > maxProposals {
				t.Errorf("%d proposals", len(got))
			}
		}
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
	t.Logf("18 documents of up to 1 MiB: %v", time.Since(start))
}

func FuzzPropose(f *testing.F) {
	f.Add([]byte(`{"mail":"a@b.test","l":[{"primary":true,"x y":"https://x.test/a.png"}]}`), "email", "e.mail")
	f.Fuzz(func(t *testing.T, doc []byte, wanted, path string) {
		failed := Selector{Path: path}
		for _, p := range Propose(Documents{Profile: doc}, wanted, failed) {
			name, custom := strings.CutPrefix(wanted, customPrefix)
			sel, faults := compileSelector(name, p.Selector, !custom)
			if faults != nil || p.Sample == "" {
				t.Fatalf("%+v: %v", p, faults)
			}
			var s selection
			if err := s.decode(Documents{Profile: doc}); err != nil {
				t.Fatal(err)
			}
			if _, why := s.read(&sel, p.Selector.Source); why != "" {
				t.Fatalf("%+v: %s", p, why)
			}
		}
	})
}
