package profile

import (
	"encoding/json"
	"testing"
)

// TestTrueAs: where a provider sends words for truth, the connection says which;
// without it only the JSON values count.
func TestTrueAs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		as    []string
		want  Tristate
	}{
		{`true`, []string{"1"}, True},
		{`false`, []string{"1"}, False},
		{`"1"`, []string{"1", "true"}, True},
		{`1`, []string{"1"}, True},
		{`"true"`, []string{"1", "true"}, True},
		{`"0"`, []string{"1"}, False},
		{`0`, []string{"1"}, False},
		{`"True"`, []string{"true"}, False},
		{`null`, []string{"1"}, Absent},
		{`""`, []string{"1"}, Absent},
		{`{}`, []string{"1"}, Absent},
		{`["1"]`, []string{"1"}, Absent},
		{`"1"`, nil, Absent},
		{`1`, nil, Absent},
		{`"true"`, nil, Absent},
	} {
		sel := DefaultSelectors()
		sel.EmailVerified = Selector{Path: "xms_edov", TrueAs: c.as}
		compiled, err := Compile(sel)
		if err != nil {
			t.Fatal(err)
		}
		_, r, err := compiled.Select(Documents{IDToken: json.RawMessage(`{"sub":"1","email":"a@acme.test","xms_edov":` + c.value + `}`)})
		if err != nil || r.EmailVerified != c.want {
			t.Errorf("%s with true_as %q: %v, %v, want %v", c.value, c.as, r.EmailVerified, err, c.want)
		}
	}
	for name, sel := range map[string]Selectors{
		"other attribute": {FederationID: Selector{Path: "sub", TrueAs: []string{"1"}}},
		"false is true":   {FederationID: Selector{Path: "sub"}, EmailVerified: Selector{Path: "v", TrueAs: []string{"False"}}},
		"empty":           {FederationID: Selector{Path: "sub"}, EmailVerified: Selector{Path: "v", TrueAs: []string{""}}},
	} {
		if _, err := Compile(sel); err == nil {
			t.Errorf("%s: no fault", name)
		}
	}
}
