package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func mustCompile(t testing.TB, s Selectors) *Compiled {
	t.Helper()
	c, err := Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func only(path string) Selectors { return Selectors{FederationID: Selector{Path: path}} }

// The sample of the documentation (issue 3 §5.3).
func TestSampleProfile(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, Selectors{
		FederationID: Selector{Path: "id"}, FirstName: Selector{Path: "name.first"}, LastName: Selector{Path: "name.last"},
		DisplayName: Selector{Path: "name.display"}, Email: Selector{Path: "email[0]"}, Phone: Selector{Path: "phone"},
	})
	got, res, err := c.Select(Documents{Profile: json.RawMessage(`{"id":"0001","name":{"first":"John","last":"Doe","display":"john.doe"},"email":["john.doe@gmail.com","john.doe@hotmail.com"],"phone":"1234567890"}`)})
	want := Attributes{FederationID: "0001", FirstName: "John", LastName: "Doe", DisplayName: "john.doe", Email: "john.doe@gmail.com", Phone: "1234567890"}
	if err != nil || !reflect.DeepEqual(got, want) || len(res.Misses)+len(res.Warnings) != 0 {
		t.Errorf("got %+v, %+v, %v", got, res, err)
	}
}

func TestU4_TypedFederationID(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, only("id"))
	seen := map[string]string{}
	for in, want := range map[string]string{
		`1`: "number:1", `"1"`: "1", `"number:1"`: "string:number:1", `"string:number:1"`: "string:string:number:1",
		`9007199254740993`: "number:9007199254740993", `9007199254740992`: "number:9007199254740992", `-5`: "number:-5", `0`: "number:0",
		`"A"`: "A", `"a"`: "a", `"a "`: "a ", `"é"`: "é", `"e\u0301"`: "e\u0301", `"true"`: "true", `"null"`: "null",
		`10000000000000000000000000000001`: "number:10000000000000000000000000000001",
	} {
		got, _, err := c.Select(Documents{Profile: json.RawMessage(`{"id":` + in + `}`)})
		if err != nil || got.FederationID != want {
			t.Errorf("%s: got %q, %v; want %q", in, got.FederationID, err, want)
		}
		if other, twice := seen[got.FederationID]; twice {
			t.Errorf("%s and %s are the same person", in, other)
		}
		seen[got.FederationID] = in
	}
	for _, in := range []string{
		`1.0`, `1.5`, `1e21`, `1E2`, `-0`, `true`, `false`, `null`, `{}`, `{"a":1}`, `[]`, `[1]`, `["x"]`, `""`,
		`"` + strings.Repeat("a", 256) + `"`, `"a\u0000"`, `"a\n"`, `"\ud800"`, `"a\u202eb"`, `"\u200b"`, strings.Repeat("9", 65),
	} {
		got, _, err := c.Select(Documents{Profile: json.RawMessage(`{"id":` + in + `}`)})
		if !errors.Is(err, ErrNoFederationID) || got.FederationID != "" {
			t.Errorf("%s: got %q, %v; want ErrNoFederationID", in, got.FederationID, err)
		}
	}
	for _, d := range []Documents{{}, {Profile: json.RawMessage(`{}`)}, {Profile: json.RawMessage(`[]`)}, {Profile: json.RawMessage(`{"ID":"x"}`)}, {TokenResponse: json.RawMessage(`{"id":"x"}`)}} {
		if _, _, err := c.Select(d); !errors.Is(err, ErrNoFederationID) {
			t.Errorf("%s: %v", d.Profile, err)
		}
	}
}

func TestEmailVerifiedOnlyTrueIsTrue(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	for in, want := range map[string]Tristate{
		`true`: True, `false`: False, `"true"`: Absent, `"false"`: Absent, `1`: Absent, `0`: Absent, `null`: Absent, `[true]`: Absent, `{}`: Absent, `"TRUE"`: Absent,
	} {
		_, res, err := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x","email":"a@b.test","email_verified":` + in + `}`)})
		if err != nil || res.EmailVerified != want {
			t.Errorf("%s: got %v, %v; want %v", in, res.EmailVerified, err, want)
		}
	}
	_, res, _ := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x","email":"a@b.test"}`)})
	if res.EmailVerified != Absent {
		t.Errorf("no claim: %v", res.EmailVerified)
	}
}

// The userinfo answer must not lend its address the ID token's email_verified,
// nor the other way round, nor override what is signed.
func TestU3_EmailAndProofFromOneDocument(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	for name, tc := range map[string]struct {
		id, profile string
		email       string
		verified    Tristate
	}{
		"proof elsewhere":   {`{"sub":"x","email_verified":true}`, `{"email":"ceo@corp.test"}`, "ceo@corp.test", Absent},
		"proof in profile":  {`{"sub":"x","email":"a@b.test"}`, `{"email":"ceo@corp.test","email_verified":true}`, "a@b.test", Absent},
		"both in profile":   {`{"sub":"x"}`, `{"email":"a@b.test","email_verified":true}`, "a@b.test", True},
		"signed wins":       {`{"sub":"x","email":"a@b.test","email_verified":false}`, `{"email":"c@d.test","email_verified":true}`, "a@b.test", False},
		"proof of nothing":  {`{"sub":"x","email_verified":true}`, `{}`, "", Absent},
		"proof of bad text": {`{"sub":"x","email":"no address","email_verified":true}`, ``, "", Absent},
	} {
		d := Documents{IDToken: json.RawMessage(tc.id)}
		if tc.profile != "" {
			d.Profile = json.RawMessage(tc.profile)
		}
		got, res, err := c.Select(d)
		if err != nil || got.Email != tc.email || res.EmailVerified != tc.verified {
			t.Errorf("%s: got %q %v, %v; want %q %v", name, got.Email, res.EmailVerified, err, tc.email, tc.verified)
		}
	}
}

func TestE1_AddressFromProviderIsReadAsStrictly(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	for _, in := range []string{`a@evil.com@corp.com`, `Bob <a@corp.com>`, `a@ｃorp.com`, `a@xn--corp-.com`, ` a@corp.com`} {
		raw, _ := json.Marshal(map[string]any{"sub": "x", "email": in, "email_verified": true})
		got, res, err := c.Select(Documents{IDToken: raw})
		if err != nil || got.Email != "" || res.EmailVerified != Absent || len(res.Warnings) == 0 {
			t.Errorf("%q: got %q, %+v, %v; want it left out with a warning", in, got.Email, res, err)
		}
		if strings.Contains(fmt.Sprint(res), in) {
			t.Errorf("%q is repeated in %+v", in, res)
		}
	}
	got, _, _ := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x","email":"A@CORP.com"}`)})
	if got.Email != "A@corp.com" {
		t.Errorf("got %q", got.Email)
	}
}

func TestV1_HostileAttributes(t *testing.T) {
	t.Parallel()
	c := mustCompile(t, DefaultSelectors())
	for _, in := range []string{
		"javascript:alert(1)", "data:image/png;base64,xx", "http://x.test/a.png", "//x.test/a.png", "/a.png", "HTTPS:a", "https:///a",
		"https://u:p@x.test/", "https://x.test/\"onload=", "https://x.test/a b", "https://x.test/\n", "https://x.test/<", " https://x.test/", "https://x.test/" + strings.Repeat("a", 2048),
	} {
		raw, _ := json.Marshal(map[string]any{"sub": "x", "picture": in})
		if got, _, _ := c.Select(Documents{IDToken: raw}); got.Picture != "" {
			t.Errorf("picture %q became %q", in, got.Picture)
		}
	}
	raw, _ := json.Marshal(map[string]any{
		"sub": "x", "picture": "https://x.test/a.png?s=1", "name": "\u202eevil\u202c\r\nSet-Cookie: a\u0000",
		"given_name": strings.Repeat("ä", 10_000), "family_name": "\u200b\u2060", "phone_number": 123,
	})
	got, res, err := c.Select(Documents{IDToken: raw})
	if err != nil || got.Picture != "https://x.test/a.png?s=1" || got.DisplayName != "evil  Set-Cookie: a" || got.LastName != "" || got.Phone != "123" {
		t.Errorf("got %+v, %v", got, err)
	}
	if len(got.FirstName) > 256 || !strings.HasSuffix(got.FirstName, "ä…") || len(res.Warnings) == 0 {
		t.Errorf("first name has %d bytes, warnings %v", len(got.FirstName), res.Warnings)
	}
}

func TestX2_DescentIsBounded(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{"deep": {Path: "$..a", Source: FromProfile}}
	c := mustCompile(t, s)
	start := time.Now()
	// 9,000 levels: refused as a document.
	deep := strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000)
	if _, _, err := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x"}`), Profile: json.RawMessage(deep)}); !errors.Is(err, ErrJSONDepth) {
		t.Errorf("9,000 levels: %v", err)
	}
	// 60 levels, and 100 KB: read, but not searched with "..".
	for name, doc := range map[string]string{
		"deep":  strings.Repeat(`{"a":`, 60) + "1" + strings.Repeat("}", 60),
		"large": `{"a":"x","b":"` + strings.Repeat("b", 100_000) + `"}`,
	} {
		got, res, err := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x"}`), Profile: json.RawMessage(doc)})
		if err != nil || got.Custom != nil || len(res.Misses) != 1 || !strings.Contains(res.Misses[0].Why, "write out the path") {
			t.Errorf("%s: %+v, %+v, %v", name, got, res, err)
		}
	}
	// The worst that is searched.
	wide := strings.Repeat(`{"a":[0,`, 15) + strings.Repeat("0,", 30_000) + "0" + strings.Repeat("]}", 15)
	if _, _, err := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"x"}`), Profile: json.RawMessage(wide)}); err != nil {
		t.Error(err)
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}

func TestX8_CapsPerAttribute(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{"groups": {Path: "groups"}, "each": {Path: "groups[*]"}, "long": {Path: "long"}, "mixed": {Path: "mixed"}}
	c := mustCompile(t, s)
	groups := make([]string, 50_000)
	for i := range groups {
		groups[i] = fmt.Sprint("g", i)
	}
	raw, _ := json.Marshal(map[string]any{
		"sub": "x", "groups": groups, "long": strings.Repeat("a", 600_000/2),
		"mixed": []any{"a", 1, true, nil, "", "a", map[string]any{}, []any{"deep"}, "evil\u202e", "b\ufffd"},
	})
	got, res, err := c.Select(Documents{IDToken: raw})
	if err != nil || len(got.Custom) != 1 || len(res.Misses) != 3 || len(res.Warnings) > 8 {
		t.Errorf("got %d custom attributes, misses %+v, %d warnings, %v", len(got.Custom), res.Misses, len(res.Warnings), err)
	}
	if want := []string{"a", "1", "true"}; !slices.Equal(got.Custom["mixed"], want) {
		t.Errorf("mixed: got %q, want %q", got.Custom["mixed"], want)
	}
	if _, _, err := c.Select(Documents{IDToken: json.RawMessage(`{"sub":"` + strings.Repeat("a", 1<<20) + `"}`)}); !errors.Is(err, ErrJSONSize) {
		t.Errorf("1 MiB and more: %v", err)
	}
	if _, _, err := c.Select(Documents{IDToken: json.RawMessage("{\"sub\":\"\xff\"}")}); !errors.Is(err, ErrJSONText) {
		t.Errorf("invalid UTF-8: %v", err)
	}
}

func TestCustomValuesInDocumentOrder(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{
		"all": {Path: "$.roles.*"}, "names": {Path: "groups[*].name"}, "work": {Path: "$.mails[?@.type=='work'].value"}, "last": {Path: "$.groups[-1].name"},
		"claim": {Path: "$['https://example.com/groups']"}, "twice": {Path: "$.groups[0,0].name"},
	}
	c := mustCompile(t, s)
	doc := json.RawMessage(`{"sub":"x","roles":{"c":"3","a":"1","b":"2"},"groups":[{"name":"z"},{"name":"a"}],"https://example.com/groups":["g"],
		"mails":[{"type":"home","value":"h"},{"type":"work","value":"w"},{"value":"none"}]}`)
	want := map[string][]string{"all": {"1", "2", "3"}, "names": {"z", "a"}, "work": {"w"}, "last": {"a"}, "claim": {"g"}, "twice": {"z"}}
	for range 20 {
		got, _, err := c.Select(Documents{IDToken: doc})
		if err != nil || !reflect.DeepEqual(got.Custom, want) {
			t.Fatalf("got %v, %v", got.Custom, err)
		}
	}
}

// One Compiled serves all logins of a connection at once.
func TestSelectInParallel(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{"low": {Path: "$.n[?@ < 3]"}, "ab": {Path: "$.s[?match(@,'a|b')]"}}
	c := mustCompile(t, s)
	d := Documents{IDToken: json.RawMessage(`{"sub":"x","n":[1,2.0,3],"s":["a","ab","b"]}`)}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				got, _, err := c.Select(d)
				if err != nil || !slices.Equal(got.Custom["low"], []string{"1", "2.0"}) || !slices.Equal(got.Custom["ab"], []string{"a", "b"}) {
					t.Errorf("got %v, %v", got.Custom, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func TestG3_MissingOrBrokenValueGivesNothing(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{"groups": {Path: "$.groups[?@.level > 3].name"}}
	c := mustCompile(t, s)
	for _, in := range []string{`{"sub":"x"}`, `{"sub":"x","groups":null}`, `{"sub":"x","groups":[{"level":"9","name":"a"}]}`, `{"sub":"x","groups":[{"level":99999999999999999999,"name":"a"}]}`} {
		got, res, err := c.Select(Documents{IDToken: json.RawMessage(in)})
		if err != nil || got.Custom != nil || len(res.Misses) != 1 {
			t.Errorf("%s: %+v, %+v, %v", in, got, res, err)
		}
	}
}

func FuzzSelect(f *testing.F) {
	f.Add([]byte(`{"sub":"a","email":"a@b.test","groups":["x"]}`), []byte(`{"email_verified":true}`), "$..name", "groups[*]")
	f.Add([]byte(`{"sub":1}`), []byte(`[]`), "$[?@.a<3]", "$[?match(@,'a')]")
	f.Fuzz(func(t *testing.T, id, prof []byte, one, two string) {
		s := DefaultSelectors()
		s.FederationID = Selector{Path: "sub"}
		s.Custom = map[string]Selector{"one": {Path: one}, "two": {Path: two}}
		c, err := Compile(s)
		if err != nil {
			return
		}
		a, res, err := c.Select(Documents{IDToken: id, Profile: prof})
		if err != nil {
			return
		}
		if a.FederationID == "" || len(a.FederationID) > 300 || len(a.DisplayName) > maxName || (a.Email == "" && res.EmailVerified != Absent) {
			t.Fatalf("attributes %+v, result %+v", a, res)
		}
		if e, err := ParseEmail(a.Email); a.Email != "" && (err != nil || e.String() != a.Email) {
			t.Fatalf("email %q", a.Email)
		}
		if a.Picture != "" && !strings.HasPrefix(strings.ToLower(a.Picture), "https://") {
			t.Fatalf("picture %q", a.Picture)
		}
	})
}
