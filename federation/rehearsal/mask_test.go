package rehearsal_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"gatehouse/federation/rehearsal"
	"gatehouse/store"
)

// TestMask_OneValue: what is shown of a value, by its name and its text.
func TestMask_OneValue(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value, shown string
		secret             bool
	}{
		{"email", "carol@acme.test", "c•••@acme.test", false},
		{"email", "é@acme.test", "é•••@acme.test", false},
		{"email", "carol@localhost", "c••• (15 characters)", false},
		{"upn", "a@b@acme.test", "a••• (13 characters)", false},
		{"given_name", "Bo", "••• (2 characters)", false},
		{"given_name", "Carol", "C••• (5 characters)", false},
		{"given_name", "", "(empty)", false},
		{"access_token", "abc", "•••••• (3 characters)", true},
		{"id_token_hint", "x", "•••••• (1 characters)", true},
		{"Client-Secret", "x", "•••••• (1 characters)", true},
		{"sessionState", "carol@acme.test", "•••••• (15 characters)", true},
		{"nickname", "eyJhbGciOiJub25lIn0.e30.", "•••••• (24 characters)", true},
		{"about", strings.Repeat("x", 201), "•••••• (201 characters)", true},
		{"zipcode", "12345", "1••• (5 characters)", false},
		{"token_type", "Bearer", "Bearer", false},
		{"iss", "https://login.acme.test", "https://login.acme.test", false},
		{"scope", strings.Repeat("s", 121), "s••• (121 characters)", false},
		{"iss", "eyJhbGciOiJub25lIn0", "•••••• (19 characters)", true},
		{"groups", "staff", "s••• (5 characters)", false}, // the provider's; our own claim of this name is shown
	} {
		r := rehearsal.Empty()
		got := r.Value("$."+tc.name, tc.name, tc.value)
		if got.Shown != tc.shown || got.Secret != tc.secret || got.Kind != "text" {
			t.Errorf("%s %.30q: got %+v, want %q, secret %v", tc.name, tc.value, got, tc.shown, tc.secret)
		}
		if masked := got.Shown != tc.value; masked != (got.Number == 1) {
			t.Errorf("%s %.30q: number %d", tc.name, tc.value, got.Number)
		}
	}
	r := rehearsal.Empty()
	for _, tc := range []struct {
		value any
		shown string
	}{{json.Number("1234567890"), "••• (10 digits)"}, {true, "true"}, {nil, "null"}, {struct{}{}, "…"}} {
		if got := r.Value("$.x", "x", tc.value); got.Shown != tc.shown {
			t.Errorf("%v: got %q, want %q", tc.value, got.Shown, tc.shown)
		}
	}
}

// TestMask_OwnSecretsNeverComeOut: not in a value, a path, a media type, a
// sentence of an error, and not behind a mask either.
func TestMask_OwnSecretsNeverComeOut(t *testing.T) {
	t.Parallel()
	const canary = "canary-secret-1"
	r := rehearsal.Empty(store.Secret(canary), "abc") // what is shorter than four letters stands in every text
	body := fmt.Sprintf(`{"echo":"you sent %[1]s","iss":"%[1]s","%[1]s":{"a":1},"list":["x%[1]sx"],"letters":"abcdef"}`, canary)
	docs := []rehearsal.Document{
		r.Read("token", "https://login.acme.test/token", 200, "application/json; x="+canary, []byte(body)),
		r.Read("profile", "https://login.acme.test/me", 500, "text/html", []byte("<p>"+canary)),
	}
	r.Warn("the provider says " + canary)
	r.Fail("provider_other_error", "provider", "it said "+canary)
	all, err := json.Marshal(struct {
		D []rehearsal.Document
		R rehearsal.Result
	}{docs, r})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(all), canary) {
		t.Errorf("the secret is in %s", all)
	}
	struck := 0
	for _, v := range docs[0].Values {
		if v.Path != "$.echo" && v.Path != "$.iss" && v.Path != "$.list[0]" {
			continue
		}
		if struck++; !strings.Contains(v.Shown, "never shown") || v.Number != 0 || !v.Secret {
			t.Errorf("%+v can be revealed", v)
		}
	}
	if struck != 3 {
		t.Errorf("%d of 3 values were looked at", struck)
	}
	if got := docs[1].Note; !strings.Contains(got, "not JSON") || len(docs[1].Values) != 0 {
		t.Errorf("got %+v", docs[1])
	}
}

// TestMask_TextIsMadeFit: control and direction characters go, and what is long
// is cut.
func TestMask_TextIsMadeFit(t *testing.T) {
	t.Parallel()
	r := rehearsal.Empty()
	if got := r.Value("$.x", "x", "\u202ea\r\nb\x00@acme.test"); got.Shown != "a•••@acme.test" {
		t.Errorf("got %q", got.Shown)
	}
	r.Warn(strings.Repeat("w", 1000))
	if n := len([]rune(r.Warnings[0])); n != 401 {
		t.Errorf("a warning of %d characters", n)
	}
}

// TestMask_BoundsOfADocument: of a huge or deep answer a part is shown and
// counted, and only so much is kept for revealing.
func TestMask_BoundsOfADocument(t *testing.T) {
	t.Parallel()
	r := rehearsal.Empty()
	many := map[string]any{}
	for i := range 300 {
		many[fmt.Sprintf("m%03d", i)] = "value"
	}
	raw, err := json.Marshal(many)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Read("profile", "", 200, "", raw); len(d.Values) != 250 || d.Note != "50 more values are not shown." {
		t.Errorf("%d values, %q", len(d.Values), d.Note)
	}
	deep := strings.Repeat(`{"a":`, 20) + `1` + strings.Repeat(`}`, 20)
	if d := r.Read("profile", "", 200, "", []byte(deep)); len(d.Values) != 1 || d.Values[0].Path != "$"+strings.Repeat(".a", 12) || d.Values[0].Kind != "object" {
		t.Errorf("got %+v", d.Values)
	}
	kept := 0
	r = rehearsal.Empty()
	for range 20 {
		if v := r.Value("$.x", "x", strings.Repeat("y", 16<<10)); v.Number > 0 {
			kept++
		}
	}
	if kept != 8 { // 128 KiB
		t.Errorf("%d values of 16 KiB are kept", kept)
	}
	if v := r.Value("$.x", "x", strings.Repeat("y", 16<<10+1)); v.Number != 0 {
		t.Error("a value over 16 KiB is kept")
	}
}

// TestMask_PathsAreSelectors: a path can be taken as it stands.
func TestMask_PathsAreSelectors(t *testing.T) {
	t.Parallel()
	r := rehearsal.Empty()
	values, _ := r.Flatten(map[string]any{"email": []any{"x", map[string]any{"https://acme.test/a'b": "y", "": "z", "1a": "q"}}, "none": []any{}})
	var got []string
	for _, v := range values {
		got = append(got, v.Path)
	}
	want := `$.email[0] $.email[1][''] $.email[1]['1a'] $.email[1]['https://acme.test/a\'b'] $.none`
	if strings.Join(got, " ") != want {
		t.Errorf("got %s\nwant %s", strings.Join(got, " "), want)
	}
}
