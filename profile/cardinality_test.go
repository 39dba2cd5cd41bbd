package profile

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// pick selects one e-mail and one custom attribute from a profile.
func pick(t *testing.T, sel Selector, doc string) (email string, custom []string, res Result) {
	t.Helper()
	s := only("id")
	s.Email, s.Custom = sel, map[string]Selector{"x": sel}
	if sel.Cardinality == List {
		s.Email = Selector{}
	}
	a, res, err := mustCompile(t, s).Select(Documents{Profile: json.RawMessage(doc)})
	if err != nil {
		t.Fatal(err)
	}
	return a.Email, a.Custom["x"], res
}

func TestCardinality(t *testing.T) {
	t.Parallel()
	const two = `{"id":"1","m":["a@x.test","b@x.test"],"o":[{"e":"a@x.test","p":false},{"e":"b@x.test","p":true},{"e":"c@x.test","p":true}],"n":{"b":"b@x.test","a":"a@x.test"}}`
	for _, tc := range []struct {
		path  string
		take  Cardinality
		doc   string
		want  []string // of the custom attribute; the e-mail is the first of at most one
		warns bool
	}{
		{"m", One, two, nil, true},
		{"m", First, two, []string{"a@x.test"}, false},
		{"m", List, two, []string{"a@x.test", "b@x.test"}, false},
		{"m[1]", One, two, []string{"b@x.test"}, false},
		{"m[*]", One, two, nil, true},
		{"m[*]", First, two, []string{"a@x.test"}, false},
		{"$.o[?@.p==true].e", One, two, nil, true},
		{"$.o[?@.p==true].e", First, two, []string{"b@x.test"}, false},
		{"$.o[?@.p==true].e", List, two, []string{"b@x.test", "c@x.test"}, false},
		{"$.o[?@.p==false].e", One, two, []string{"a@x.test"}, false},
		{"$.o[1,0].e", First, two, []string{"a@x.test"}, false}, // document order, not the path's
		{"$.n.*", First, two, []string{"a@x.test"}, false},      // members by name
		{"$..e", First, two, []string{"a@x.test"}, false},
		{"m", One, `{"id":"1","m":["a@x.test"]}`, []string{"a@x.test"}, false},
		{"m", One, `{"id":"1","m":[null,"","a@x.test",null]}`, []string{"a@x.test"}, false},
		{"m", First, `{"id":"1","m":[null,"","a@x.test","b@x.test"]}`, []string{"a@x.test"}, false},
		{"m", One, `{"id":"1","m":["a@x.test","a@x.test"]}`, nil, true}, // two are two, also when alike
		{"m", One, `{"id":"1","m":[]}`, nil, false},
		{"m", First, `{"id":"1","m":[{},"b@x.test"]}`, nil, true}, // the first, not the first that will do
	} {
		email, custom, res := pick(t, Selector{Path: tc.path, Cardinality: tc.take}, tc.doc)
		if !slices.Equal(custom, tc.want) {
			t.Errorf("%s %s: custom %q, want %q", tc.path, tc.take, custom, tc.want)
		}
		if tc.take != List && (email != "") != (tc.want != nil) || email != "" && email != tc.want[0] {
			t.Errorf("%s %s: e-mail %q, want %q", tc.path, tc.take, email, tc.want)
		}
		if (len(res.Warnings) > 0) != tc.warns || (len(res.Misses) > 0) != (tc.want == nil) {
			t.Errorf("%s %s: misses %v, warnings %q", tc.path, tc.take, res.Misses, res.Warnings)
		}
	}
}

// What stands for "no value" is no value, and the next document is asked.
func TestMissingValues(t *testing.T) {
	t.Parallel()
	sel := Selector{Path: "e", Cardinality: First, Missing: []string{"N/A", "null", "0"}}
	for doc, want := range map[string][]string{
		`{"id":"1","e":"N/A"}`:                     nil,
		`{"id":"1","e":"null"}`:                    nil,
		`{"id":"1","e":null}`:                      nil,
		`{"id":"1","e":""}`:                        nil,
		`{"id":"1","e":0}`:                         nil,
		`{"id":"1","e":["N/A",0,"","a@x.test"]}`:   {"a@x.test"},
		`{"id":"1","e":"n/a"}`:                     {"n/a"}, // byte for byte
		`{"id":"1","e":0.0}`:                       {"0.0"},
		`{"id":"1","e":[false]}`:                   {"false"},
		`{"id":"1","e":["N/A"]}`:                   nil,
		`{"id":"1","e":" "}`:                       {" "},
		`{"id":"1","e":{"N/A":1},"f":"a@x.test"}`:  nil,
		`{"id":"1","e":[["a@x.test"],"b@x.test"]}`: nil, // a list in a list is no value, nor missing
	} {
		if _, custom, _ := pick(t, sel, doc); !slices.Equal(custom, want) {
			t.Errorf("%s: %q, want %q", doc, custom, want)
		}
	}
	s := DefaultSelectors()
	s.Email.Missing = []string{"unknown"}
	got, _, err := mustCompile(t, s).Select(Documents{IDToken: json.RawMessage(`{"sub":"1","email":"unknown","email_verified":true}`), Profile: json.RawMessage(`{"email":"a@x.test"}`)})
	if err != nil || got.Email != "a@x.test" {
		t.Errorf("got %q, %v", got.Email, err)
	}
	s = only("id")
	s.FederationID.Missing = []string{"0", "anonymous"}
	for _, doc := range []string{`{"id":0}`, `{"id":"0"}`, `{"id":"anonymous"}`} {
		if a, _, err := mustCompile(t, s).Select(Documents{Profile: json.RawMessage(doc)}); !errors.Is(err, ErrNoFederationID) {
			t.Errorf("%s: %+v, %v", doc, a, err)
		}
	}
}

// An empty list that the provider signed is an answer: nobody's groups, whatever
// userinfo says.
func TestU3_EmptyListIsAnAnswer(t *testing.T) {
	t.Parallel()
	s := only("sub")
	s.Custom = map[string]Selector{"groups": {Path: "groups"}}
	for id, want := range map[string][]string{`[]`: nil, `[null]`: nil, `null`: {"admin"}, `["a"]`: {"a"}} {
		got, _, err := mustCompile(t, s).Select(Documents{IDToken: json.RawMessage(`{"sub":"x","groups":` + id + `}`), Profile: json.RawMessage(`{"groups":["admin"]}`)})
		if err != nil || !slices.Equal(got.Custom["groups"], want) {
			t.Errorf("%s: %q, %v; want %q", id, got.Custom["groups"], err, want)
		}
	}
}

// Identity and proof are never taken out of a list of several.
func TestU4_FederationIDIsNeverTheFirstOfSeveral(t *testing.T) {
	t.Parallel()
	s := only("$.ids[?@.kind=='main'].id")
	s.FederationID.Cardinality = One
	c := mustCompile(t, s)
	for doc, want := range map[string]string{
		`{"ids":[{"kind":"main","id":7},{"kind":"old","id":6}]}`:     "number:7",
		`{"ids":[{"kind":"main","id":"a"},{"kind":"main","id":""}]}`: "a",
		`{"ids":[{"kind":"main","id":7},{"kind":"main","id":8}]}`:    "",
		`{"ids":[{"kind":"main","id":[7]}]}`:                         "",
		`{"ids":[]}`:                                                 "",
	} {
		a, _, err := c.Select(Documents{Profile: json.RawMessage(doc)})
		if a.FederationID != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, ErrNoFederationID) {
			t.Errorf("%s: %q, %v; want %q", doc, a.FederationID, err, want)
		}
	}
}

func TestCompileCardinalityAndMissing(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", maxMissingBytes+1)
	_, err := Compile(Selectors{
		FederationID:  Selector{Path: "ids[*]", Cardinality: First},
		FirstName:     Selector{Path: "a", Cardinality: "some", Missing: make([]string, maxMissing+1)},
		LastName:      Selector{Path: "names[*]"},
		Email:         Selector{Path: "a", Cardinality: List, Missing: []string{long, "\xff"}},
		EmailVerified: Selector{Path: "v[*]", Cardinality: First},
		Phone:         Selector{Path: "p[*]", Cardinality: First, Missing: []string{"", "null", "N/A"}},
		Picture:       Selector{Path: "$.p[?@.main==true].url", Cardinality: One},
		Custom: map[string]Selector{
			"a": {Path: "a", Cardinality: "many", Missing: []string{"\xff"}}, "phone_number_verified": {Path: "v", Cardinality: First}, "ok": {Path: "a[*]", Cardinality: One},
		},
	})
	got := faultPaths(t, err)
	want := []string{
		"selectors.custom.a.cardinality", "selectors.custom.a.missing", "selectors.custom.phone_number_verified.cardinality",
		"selectors.email.cardinality", "selectors.email.missing", "selectors.email_verified.cardinality", "selectors.federation_id.cardinality",
		"selectors.first_name.cardinality", "selectors.first_name.missing", "selectors.last_name",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults at %q\nwant %q\n%v", got, want, err)
	}
}

// faultPaths are the sorted paths of the joined FieldErrors.
func faultPaths(t *testing.T, err error) []string {
	t.Helper()
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		t.Fatalf("error is %T: %v", err, err)
	}
	var got []string
	for _, e := range all.Unwrap() {
		var f *FieldError
		if !errors.As(e, &f) || f.Problem == "" {
			t.Errorf("not a FieldError with a problem: %v", e)
			continue
		}
		got = append(got, f.Path)
	}
	slices.Sort(got)
	return got
}

// The record as an admin writes it.
func TestSelectorsJSON(t *testing.T) {
	t.Parallel()
	const text = `{"federation_id":{"path":"id"},"email":{"path":"$.emails[?@.primary==true].email","source":"profile","cardinality":"one","missing":["N/A"]},"custom":{"groups":{"path":"groups","cardinality":"list","optional":true}}}`
	var s Selectors
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if raw, err := json.Marshal(s); err != nil || string(raw) != text {
		t.Errorf("got %s, %v", raw, err)
	}
	want := Selector{Path: "$.emails[?@.primary==true].email", Source: FromProfile, Cardinality: One, Missing: []string{"N/A"}}
	if _, err := Compile(s); err != nil || !reflect.DeepEqual(s.Email, want) {
		t.Errorf("got %+v, %v", s.Email, err)
	}
}
