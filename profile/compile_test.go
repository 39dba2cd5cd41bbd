package profile

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

// refused wants every path refused with a problem that contains problem.
func refused(t *testing.T, problem string, paths ...string) {
	t.Helper()
	for _, p := range paths {
		_, faults := compileQuery(p)
		if !slices.ContainsFunc(faults, func(f fault) bool { return strings.Contains(f.problem, problem) }) {
			show := p[:min(len(p), 80)]
			t.Errorf("%q: faults %v, want one that says %q", show, faults, problem)
		}
	}
}

func TestX3_OneDescentNoNestedFilters(t *testing.T) {
	t.Parallel()
	refused(t, ".. more than once", "$..*..*..*..*", "$..a..b", "$..[?@..a]")
	refused(t, "filter inside a filter", "$[?@[?@.a]]", "$.a[?count(@[?@.b==1])>1]")
	refused(t, "segments", "$"+strings.Repeat(".a", 17), "$[?@"+strings.Repeat(".a", 16)+"]")
	refused(t, "unions", "$['a','b','c']['a','b','c']", "$[0,1,2,3,4,5,6,7,8]", "$..[0,1,2][0,1,2]")
	for _, ok := range []string{"$..a", "$.a[?@.b == 'c'].d", "$['a','b','c','d']['a','b']", "$" + strings.Repeat(".a", 16)} {
		if _, faults := compileQuery(ok); faults != nil {
			t.Errorf("%q: %v", ok, faults)
		}
	}
}

func TestX4_NoRootInFilters(t *testing.T) {
	t.Parallel()
	refused(t, "uses $ inside a filter", "$[?($[0].v==true)]", "$[?$[*].v]", "$[?$]", "$[?@.a==$.b]", "$[?match($.a,'x')]", "$.a[?length(@)==length($ [0])]")
	if _, faults := compileQuery("$[?@.a=='$']"); faults != nil {
		t.Errorf("a $ in a text: %v", faults)
	}
}

func TestX5_RegularExpressions(t *testing.T) {
	t.Parallel()
	refused(t, "no regular expression", `$[?match(@,'(?i)a')]`, `$[?match(@,'a**')]`, `$[?match(@,'a*?')]`, `$[?match(@,'[a')]`, `$[?match(@,'a{1001}')]`,
		`$[?match(@,'\\d+')]`, `$[?match(@,'\\bx')]`, `$[?match(@,'\\Aa')]`, `$[?match(@,'(a')]`, `$[?search(@,'[[:alpha:]]')]`, `$[?match(@,'a\\')]`,
		`$[?match(@,'\\Qa')]`, `$[?match(@,'\\1')]`, `$[?match(@,'(?P<n>a)')]`)
	refused(t, "not a constant text", `$[?match(@.a,@.b)]`, `$[?search(@.a,1)]`, `$[?match(@.a,true)]`)
	// Exponential elsewhere, linear here.
	q, faults := compileQuery(`$[?match(@,'(a+)+b')]`)
	if faults != nil {
		t.Fatal(faults)
	}
	doc := &document{value: []any{strings.Repeat("a", 60_000), "aab"}}
	if got, err := q.run(doc); err != nil || len(got) != 1 || got[0] != "aab" {
		t.Errorf("got %v, %v", got, err)
	}
}

// The library's match answers yes to "xb" here: a way into a role filter.
func TestX5_AlternationIsAnchored(t *testing.T) {
	t.Parallel()
	for expr, c := range map[string]struct{ in, want []any }{
		"a|b":         {[]any{"ab", "xb", "ax", "a", "b", "a\n", "\na"}, []any{"a", "b"}},
		"admin|owner": {[]any{"adminx", "xowner", "admin", "owner", "admin|owner", "owner\n"}, []any{"admin", "owner"}},
		"a.c":         {[]any{"abc", "a\nc", "a\rc", "xabc"}, []any{"abc"}},
	} {
		q, faults := compileQuery("$[?match(@,'" + expr + "')]")
		if faults != nil {
			t.Fatal(faults)
		}
		got, err := q.run(&document{value: c.in})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v", expr, got, err)
		}
	}
}

// The library panics here.
func TestX5_MatchOnMissingMember(t *testing.T) {
	t.Parallel()
	for _, p := range []string{`$[?match(@.type,'t.*')]`, `$[?search(@.type,'t')]`, `$[?match(value(@.*),'t')]`} {
		q, faults := compileQuery(p)
		if faults != nil {
			t.Fatal(faults)
		}
		got, err := q.run(&document{value: []any{map[string]any{}, map[string]any{"type": nil}, map[string]any{"type": "t"}, 1, "t"}})
		if err != nil || len(got) != 1 {
			t.Errorf("%s: got %v, %v", p, got, err)
		}
	}
}

func TestX6_LongAndDeepQueries(t *testing.T) {
	t.Parallel()
	refused(t, "at most 512", "$"+strings.Repeat("[0]", 400_000), "$"+strings.Repeat("[", 20_000), "$[?"+strings.Repeat("(", 20_000), strings.Repeat("a", 513), "$[?"+strings.Repeat("!(", 1<<19))
	refused(t, "is not JSONPath", "$"+strings.Repeat("[", 500), "$[?"+strings.Repeat("(", 500), "$[?"+strings.Repeat("(", 250)+"@.a"+strings.Repeat(")", 249)+"]")
	refused(t, "UTF-8", "$.a\xff", "$['\x00']", "a\xff")
}

// Texts the library takes for JSONPath and the RFC does not.
func TestWhatTheLibraryTakesAndTheGrammarDoesNot(t *testing.T) {
	t.Parallel()
	refused(t, "is not JSONPath", "$[?count(#,@.*)>1]", "$[?count(@.*,)>1]", "$[?count(],@.*)>1]", "$[?!match@.a,'x')]", "$[?!count(@.*)]", "$[?!length(@.a)]",
		"$[?value (@.a)==1]", "$[?length(value (@..a))==1]", "$[?pattern0(@,'a')]", "$[?!'a']", "$[?1]", "$[?true]", "$[?@.*==1]", "$[?match(@.a,'a')==true]")
}

func TestValidPathTheLibraryDoesNotTake(t *testing.T) {
	t.Parallel()
	refused(t, "the library Gatehouse uses does not take", "$..true", "$[?'a'==@.null]")
	if _, faults := compileQuery("$..['true']"); faults != nil {
		t.Error(faults)
	}
}

func TestShorthand(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"name":                   "$['name']",
		"name.first":             "$['name']['first']",
		"email[0]":               "$['email'][0]",
		"preferred-username":     "$['preferred-username']",
		"groups[*]":              "$['groups'][*]",
		"groups[*].name":         "$['groups'][*]['name']",
		"a[0][1].b":              "$['a'][0][1]['b']",
		"true":                   "$['true']",
		"größe":                  "$['größe']",
		"_x9":                    "$['_x9']",
		"length":                 "$['length']",
		"user.groups-all.x-y[2]": "$['user']['groups-all']['x-y'][2]",
	} {
		got, f := expandShorthand(in)
		if f != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", in, got, f, want)
		}
		if _, faults := compileQuery(in); faults != nil {
			t.Errorf("%q: %v", in, faults)
		}
	}
	for in, fix := range map[string]string{
		".name":                      "leave the dot out: name",
		"..name":                     "$..name",
		"a..b":                       "$.a..b",
		"groups.0":                   "groups[0]",
		"0":                          "$['0']",
		"https://example.com/groups": "$['https://example.com/groups']",
		"cognito:groups":             "$['cognito:groups']",
		"a b":                        "$['a b']",
		"a.":                         "$['a.']",
		"groups[?@.a]":               "$.groups[?@.a]",
		"groups[-1]":                 "$.groups[-1]",
		"groups[01]":                 "$.groups[01]",
		"groups[0:2]":                "$.groups[0:2]",
		"['a']":                      "$['a']",
		"[0]":                        "$[0]",
		"a[0]b":                      "beginning with $",
		"a[":                         "$.a[",
		"@.a":                        "$['@.a']",
		"-a":                         "$['-a']",
		" a":                         "$[' a']",
		"a,b":                        "$['a,b']",
	} {
		_, f := expandShorthand(in)
		if f == nil || !strings.Contains(f.fix, fix) {
			t.Errorf("%q: %+v, want a fix with %q", in, f, fix)
		}
	}
}

func TestCompileReportsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := Compile(Selectors{
		FirstName: Selector{Path: "names[*]"},
		LastName:  Selector{Path: "a", Source: "elsewhere"},
		Email:     Selector{Path: ".email"},
		Phone:     Selector{Path: "$..a..b[?$.x==@.y]"},
		Custom: map[string]Selector{
			"groups": {Path: "$[?match(@.a,@.b)]"}, "Bad Name": {Path: "x"}, "roles": {Path: "roles"}, "empty": {},
		},
	})
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) {
		t.Fatalf("error is %T: %v", err, err)
	}
	got := map[string]int{}
	for _, e := range all.Unwrap() {
		var f *FieldError
		if !errors.As(e, &f) || f.Problem == "" {
			t.Errorf("not a FieldError with a problem: %v", e)
			continue
		}
		got[f.Path]++
	}
	want := map[string]int{
		"selectors.federation_id": 1, "selectors.first_name": 1, "selectors.last_name.source": 1, "selectors.email": 1,
		"selectors.phone": 2, "selectors.custom.groups": 1, "selectors.custom": 1, "selectors.custom.roles": 1, "selectors.custom.empty": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("faults at %v\nwant %v\n%v", got, want, err)
	}
	if _, err := Compile(DefaultSelectors()); err != nil {
		t.Errorf("defaults: %v", err)
	}
}

func TestG1_CustomAttributeCannotBeAClaimOfOurs(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"sub", "iss", "aud", "roles", "role", "org", "scope", "email_verified", "client_id", "cnf", "act"} {
		s := DefaultSelectors()
		s.Custom = map[string]Selector{name: {Path: "x"}}
		if _, err := Compile(s); err == nil {
			t.Errorf("custom attribute %q was accepted", name)
		}
	}
}

func TestInexactNumbersInFilters(t *testing.T) {
	t.Parallel()
	refused(t, "more than 15 digits", "$[?@.id==9007199254740993]", "$[?@.id<0.1234567890123456]", "$[?@.id==1e999]")
	q, faults := compileQuery("$[?@.id==9007199254740992].name")
	if faults != nil {
		t.Fatal(faults)
	}
	v, _ := ParseJSON([]byte(`[{"id":9007199254740993,"name":"other"}]`), Limits{})
	if got, err := q.run(&document{value: v}); !errors.Is(err, errInexact) {
		t.Errorf("a number that is another: got %v, %v", got, err)
	}
	// Compared with a text, the same document is fine.
	q, _ = compileQuery("$[?@.name=='other'].id")
	if got, err := q.run(&document{value: v}); err != nil || len(got) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"name.first", "email[0]", "$..a[?match(@.x,'a|b')]", "$[?@.a==1e5 && !(@.b || count(@.*)>2)]", "$['a',\"b\",1:2:3,*]", "$[?!match@.a,'x')]", "$['\\ud83d\\ude00']"} {
		f.Add(s)
	}
	doc := profile2K()
	v, depth, err := parseJSON(doc, WideLimits())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s string) {
		q, faults := compileQuery(s)
		if (q == nil) == (len(faults) == 0) {
			t.Fatalf("%q: query %v, faults %v", s, q, faults)
		}
		if q == nil {
			return
		}
		nodes, err := q.run(&document{value: v, bytes: len(doc), depth: depth})
		if err == nil && q.singular && len(nodes) > 1 {
			t.Fatalf("%q: singular, and gave %d nodes", s, len(nodes))
		}
	})
}
