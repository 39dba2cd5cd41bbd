package federation

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"gatehouse/federation/mockidp"
	"gatehouse/profile"
	"gatehouse/store"
)

const appleUser = `{"name":{"firstName":"Ada","lastName":"Lovelace"},"email":"ceo@acme.test"}`

func TestPostedUser(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ raw, want string }{
		"Apple's":           {appleUser, `{"name":{"firstName":"Ada","lastName":"Lovelace"}}`},
		"one name":          {`{"name":{"firstName":"Ada"}}`, `{"name":{"firstName":"Ada"}}`},
		"more members":      {`{"name":{"firstName":"Ada","middleName":"K"},"sub":"1","groups":["admin"]}`, `{"name":{"firstName":"Ada"}}`},
		"beyond ASCII":      {`{"name":{"firstName":"Zoë"}}`, `{"name":{"firstName":"Zoë"}}`},
		"one name unusable": {`{"name":{"firstName":7,"lastName":"L"}}`, `{"name":{"lastName":"L"}}`},
		"control character": {`{"name":{"firstName":"A\u0000da"}}`, ""},
		"other direction":   {`{"name":{"firstName":"A\u202eda"}}`, ""},
		"long name":         {`{"name":{"firstName":"` + strings.Repeat("a", maxPostedName+1) + `"}}`, ""},
		"long text":         {`{"name":{"firstName":"Ada"},"x":"` + strings.Repeat("a", maxPostedUser) + `"}`, ""},
		"member twice":      {`{"name":{"firstName":"Ada"},"name":{"firstName":"Eve"}}`, ""},
		"two documents":     {`{"name":{"firstName":"Ada"}} {}`, ""},
		"deep":              {`{"name":{"firstName":"Ada"},"x":[[[[[[]]]]]]}`, ""},
		"no name":           {`{"email":"ceo@acme.test"}`, ""},
		"name is text":      {`{"name":"Ada"}`, ""},
		"list":              {`[]`, ""}, "null": {`null`, ""}, "empty": {``, ""}, "not JSON": {`{'name':1}`, ""}, "not UTF-8": {"{\"name\":{\"firstName\":\"\xff\"}}", ""},
	} {
		if got, ok := PostedUser(tc.raw); got != tc.want || ok != (tc.want != "") {
			t.Errorf("%s: got %q, want %q", name, got, tc.want)
		}
	}
}

// apple is a world whose connection takes names from the form.
func apple(t *testing.T, change func(c *store.Connection)) *world {
	t.Helper()
	w := newWorld(t, mockidp.Config{AutoLogin: "alice", Users: map[string]map[string]any{
		"alice": {"sub": "a-1", "email": "alice@acme.test", "email_verified": true},
	}})
	id := func(path string) profile.Selector { return profile.Selector{Path: path, Source: profile.FromIDToken} }
	name := func(path string) profile.Selector {
		return profile.Selector{Path: path, Source: profile.FromProfile, Optional: true}
	}
	w.set(func(c *store.Connection) {
		c.ResponseMode, c.UseUserinfo, c.Profile.Kind = "form_post", false, store.ProfilePosted
		c.Selectors = profile.Selectors{
			FederationID: id("sub"), Email: id("email"), EmailVerified: id("email_verified"),
			FirstName: name("name.firstName"), LastName: name("name.lastName"),
		}
	})
	if change != nil {
		change(&w.conn) // past CheckConnection
		w.conn.Revision++
	}
	return w
}

func (w *world) postedLogin(user ...string) (VerifiedIdentity, error) {
	w.t.Helper()
	d, err := w.depart(DepartRequest{})
	if err != nil {
		w.t.Fatal(err)
	}
	params := w.posted(d)
	params["user"] = user
	return w.Return(w.t.Context(), w.conn, d.Flow, params)
}

func TestPostedUser_NamesOnly(t *testing.T) {
	t.Parallel()
	w := apple(t, nil)
	for name, tc := range map[string]struct {
		user        []string
		first, last string
	}{
		"first login": {[]string{appleUser}, "Ada", "Lovelace"},
		"later login": {nil, "", ""},
		"twice":       {[]string{appleUser, appleUser}, "", ""},
		"nonsense":    {[]string{`{"sub":"victim"}`}, "", ""},
	} {
		id, err := w.postedLogin(tc.user...)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		a := id.Attributes()
		if a.FirstName != tc.first || a.LastName != tc.last || id.Subject() != "a-1" || a.Email != "alice@acme.test" {
			t.Errorf("%s: %s %+v", name, id.Subject(), a)
		}
		if len(id.Warnings()) != 0 {
			t.Errorf("%s: warns %v", name, id.Warnings())
		}
		kept := id.AttributesAfter(profile.Attributes{FirstName: "Old", LastName: "Name"})
		if want := map[bool]string{true: "Old", false: "Ada"}[tc.first == ""]; kept.FirstName != want || kept.Email != "alice@acme.test" {
			t.Errorf("%s: after an earlier login %+v", name, kept)
		}
	}
	// Another kind of connection does not look at the field, nor keeps old names.
	w = apple(t, func(c *store.Connection) { c.Profile.Kind = store.ProfileNone })
	id, err := w.postedLogin(appleUser)
	if err != nil || id.Attributes().FirstName != "" || id.AttributesAfter(profile.Attributes{FirstName: "Old"}).FirstName != "" {
		t.Errorf("%+v, %v", id.Attributes(), err)
	}
}

// Whatever a record says, who signed in, their address and their groups are
// never what a browser posted.
func TestPostedUser_ProvesNothing(t *testing.T) {
	t.Parallel()
	w := apple(t, func(c *store.Connection) {
		c.Selectors.Email = profile.Selector{Path: "name.lastName"}
		c.Selectors.Phone = profile.Selector{Path: "name.firstName", Source: profile.FromProfile}
		c.Selectors.Custom = map[string]profile.Selector{"groups": {Path: "$..firstName"}}
	})
	id, err := w.postedLogin(`{"name":{"firstName":"admins","lastName":"ceo@acme.test"}}`)
	if a := id.Attributes(); err != nil || a.FirstName != "admins" || a.Email != "" || a.Phone != "" || len(a.Custom["groups"]) != 0 {
		t.Errorf("%+v, %v", id.Attributes(), err)
	}
	w = apple(t, func(c *store.Connection) { c.Selectors.FederationID = profile.Selector{Path: "name.firstName"} })
	_, err = w.postedLogin(appleUser)
	wantCode(t, err, CodeFederationIDAbsent)
}

func FuzzPostedUser(f *testing.F) {
	for _, s := range []string{appleUser, `{"name":{"firstName":"\ud800"}}`, `{"name":{"firstName":"<script>","lastName":""}}`, `{}`, "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := PostedUser(raw)
		if !ok {
			if got != "" {
				t.Fatalf("refused, and gave %q", got)
			}
			return
		}
		var u map[string]map[string]string
		if err := json.Unmarshal([]byte(got), &u); err != nil || len(u) != 1 || len(u["name"]) == 0 || len(u["name"]) > 2 {
			t.Fatalf("%q of %q: %v", got, raw, err)
		}
		// What was read once reads the same again: it goes through a URL between.
		q, err := url.ParseQuery(url.Values{"user": {got}}.Encode())
		if err != nil {
			t.Fatal(err)
		}
		if again, ok := PostedUser(q.Get("user")); !ok || again != got {
			t.Fatalf("%q reads as %q", got, again)
		}
	})
}
