package profile

import (
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestCustomText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]map[string]Selector{
		"":                                      {},
		"\n \r\n":                               {},
		"groups=user.groups":                    {"groups": {Path: "user.groups"}},
		" groups = user.groups \r\n\n a=b\n":    {"groups": {Path: "user.groups"}, "a": {Path: "b"}},
		"claim=$['https://example.com/groups']": {"claim": {Path: "$['https://example.com/groups']"}},
		"work=$.m[?@.type=='a=(b)'].v":          {"work": {Path: "$.m[?@.type=='a=(b)'].v"}},
		"g(profile)=g":                          {"g": {Path: "g", Source: FromProfile}},
		"g ( token_response , list,optional ) = g[*]":           {"g": {Path: "g[*]", Source: FromTokenResponse, Cardinality: List, Optional: true}},
		`g(missing="N/A",first,missing = "a,b)=\"\n",one_)=`:    nil,
		`g(missing="N/A", first, missing = "a,b)=\"\n" )=g`:     {"g": {Path: "g", Cardinality: First, Missing: []string{"N/A", "a,b)=\"\n"}}},
		"phone_number_verified(one, id_token)=phone_verified":   {"phone_number_verified": {Path: "phone_verified", Source: FromIDToken, Cardinality: One}},
		"g(one)=$['a'][?@.b == 'x' && match(@.c, 'a|b')].d[-1]": {"g": {Path: "$['a'][?@.b == 'x' && match(@.c, 'a|b')].d[-1]", Cardinality: One}},
	} {
		got, err := ParseCustom(text)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%q: got %+v, %v; want %+v", text, got, err, want)
			continue
		}
		again, err := ParseCustom(FormatCustom(got))
		if want != nil && (err != nil || !reflect.DeepEqual(again, want)) {
			t.Errorf("%q printed is %q: %+v, %v", text, FormatCustom(got), again, err)
		}
	}
	const printed = "a(profile, first, optional, missing=\"N/A\", missing=\"\\\"\")=$ ['a']\nb=b\n"
	if got := FormatCustom(map[string]Selector{
		"b": {Path: "b"}, "a": {Path: "$\n['a']", Source: FromProfile, Cardinality: First, Optional: true, Missing: []string{"N/A", `"`}},
	}); got != printed {
		t.Errorf("got %q", got)
	}
}

func TestCustomTextReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := ParseCustom(strings.Join([]string{
		"groups=user..groups..all", // two faults of the path's? one: shorthand
		"nothing",
		"=path",
		"Big=x",
		"roles=roles",
		"dept(profile, id_token, twice)=a",
		"dept=b",
		"open(profile=a",
		"closed(profile)",
		"quote(missing=x)=a",
		"url=https://example.com/groups",
		"empty=",
		"word(first second)=a",
		"after(first) a",
		"none()=a",
	}, "\n"))
	got := faultPaths(t, err)
	want := []string{
		"selectors.custom", "selectors.custom", "selectors.custom", // nothing, =path, Big
		"selectors.custom.after", "selectors.custom.after", // no =, and so no path
		"selectors.custom.closed", "selectors.custom.closed",
		"selectors.custom.dept", "selectors.custom.dept", "selectors.custom.dept",
		"selectors.custom.empty", "selectors.custom.groups", "selectors.custom.none",
		"selectors.custom.open", "selectors.custom.open",
		"selectors.custom.quote", "selectors.custom.quote",
		"selectors.custom.roles", "selectors.custom.url",
		"selectors.custom.word",
	}
	if !slices.Equal(got, want) {
		t.Errorf("faults at\n%q, want\n%q\n%v", got, want, err)
	}
	if !strings.Contains(err.Error(), "$['https://example.com/groups']") || !strings.Contains(err.Error(), "line 7: is there twice") {
		t.Error(err)
	}
	for _, text := range []string{strings.Repeat("a", maxCustomText+1), strings.Repeat("x\n", 30_000), strings.Repeat("x=(\n", 10_000)} {
		if _, err := ParseCustom(text); err == nil || len(err.Error()) > 20_000 {
			t.Errorf("%d bytes: %v", len(text), err)
		}
	}
}

// A claim's name that is a URL: every way to write it wrongly tells the way.
func TestClaimNamesThatAreURLs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://example.com/groups":     "$['https://example.com/groups']",
		"https://example.com/a?b=c[0]":   "$['https://example.com/a?b=c[0]']",
		"https://example.com/../x":       "$['https://example.com/../x']",
		"https://example.com/it's":       `$['https://example.com/it\'s']`,
		"https://example.com/a\\b":       `$['https://example.com/a\\b']`,
		"urn:example:groups":             "$['urn:example:groups']",
		"user.https://example.com/group": "$['user.https://example.com/group']",
		"'https://example.com/groups'":   "$['https://example.com/groups']",
		`"https://example.com/groups"`:   "$['https://example.com/groups']",
		"['https://example.com/groups']": "$['https://example.com/groups']",
		"$.https://example.com/groups":   "$['https://example.com/groups']",
	} {
		_, faults := compileQuery(in)
		if len(faults) != 1 || !strings.HasSuffix(faults[0].fix, want) {
			t.Errorf("%s: %+v, want %s", in, faults, want)
		}
		if _, faults := compileQuery(want); faults != nil {
			t.Errorf("%s: %v", want, faults)
		}
	}
}

func FuzzParseCustom(f *testing.F) {
	for _, s := range []string{"groups=user.groups\na(profile, first, optional, missing=\"N/A\")=$['x'][*]", "a(missing=\"\\xff\")=b", "a (one)= $\r['b']", "a(=)=", "=\n(\n)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		custom, err := ParseCustom(text)
		if (custom == nil) == (err == nil) {
			t.Fatalf("%v, %v", custom, err)
		}
		if err != nil {
			return
		}
		again, err := ParseCustom(FormatCustom(custom))
		for name, sel := range custom {
			sel.Path = strings.NewReplacer("\r", " ").Replace(sel.Path)
			custom[name] = sel
		}
		if err != nil || !reflect.DeepEqual(again, custom) {
			t.Fatalf("%q became %q: %+v, %v", text, FormatCustom(custom), again, err)
		}
	})
}
