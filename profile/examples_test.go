package profile

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
)

// The examples of docs/selectors.md give what the page says, and its documents
// stand there as they are here.
func TestDocumentedExamples(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/selectors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		doc  string
		sel  Selectors
		want Attributes
	}{
		{
			`[{"email":"old@acme.test","primary":false,"verified":true},{"email":"jane@acme.test","primary":true,"verified":true}]`,
			Selectors{
				FederationID: Selector{Path: "$[0].email"}, Email: Selector{Path: "$[?@.primary==true].email", Cardinality: One},
				EmailVerified: Selector{Path: "$[?@.primary==true].verified", Cardinality: One},
			},
			Attributes{FederationID: "old@acme.test", Email: "jane@acme.test"},
		},
		{
			`{"id":"87d3…","givenName":"Jane","surname":"Doe","displayName":"Jane Doe","mail":"jane@acme.test","businessPhones":["+1 555 0100"]}`,
			Selectors{
				FederationID: Selector{Path: "id"}, FirstName: Selector{Path: "givenName"}, LastName: Selector{Path: "surname"},
				Email: Selector{Path: "mail"}, Phone: Selector{Path: "businessPhones", Cardinality: First},
			},
			Attributes{FederationID: "87d3…", FirstName: "Jane", LastName: "Doe", Email: "jane@acme.test", Phone: "+1 555 0100"},
		},
		{
			`{"userName":"jane","emails":[{"value":"jane@acme.test","primary":true}],"groups":[{"display":"a","value":"g-1"}]}`,
			Selectors{
				FederationID: Selector{Path: "userName"}, Email: Selector{Path: "$.emails[?@.primary==true].value", Cardinality: One},
				Custom: map[string]Selector{"groups": {Path: "groups[*].value"}},
			},
			Attributes{FederationID: "jane", Email: "jane@acme.test", Custom: map[string][]string{"groups": {"g-1"}}},
		},
		{
			`{"sub":"x","https://example.com/groups":["admin","dev"]}`,
			Selectors{FederationID: Selector{Path: "sub"}, Custom: map[string]Selector{"groups": {Path: "$['https://example.com/groups']"}}},
			Attributes{FederationID: "x", Custom: map[string][]string{"groups": {"admin", "dev"}}},
		},
		{
			`{"access_token":"…","user":{"id":7}}`,
			Selectors{FederationID: Selector{Path: "user.id", Source: FromTokenResponse}},
			Attributes{FederationID: "number:7"},
		},
	} {
		if !strings.Contains(string(page), tc.doc) {
			t.Errorf("the page does not have %s", tc.doc)
		}
		got, res, err := mustCompile(t, tc.sel).Select(Documents{Profile: json.RawMessage(tc.doc), TokenResponse: json.RawMessage(tc.doc)})
		if err != nil || !reflect.DeepEqual(got, tc.want) || len(res.Misses)+len(res.Warnings) != 0 {
			t.Errorf("%s: got %+v, %+v, %v", tc.doc, got, res, err)
		}
	}
	text := string(page)
	text = text[strings.Index(text, "## Custom attributes as text"):]
	text = strings.Split(text, "```")[1]
	if custom, err := ParseCustom(text); err != nil || strings.TrimSpace(FormatCustom(custom)) == "" || len(custom) != 2 {
		t.Errorf("custom attributes as text: %v, %v", custom, err)
	}
	if !strings.Contains(string(page), `{"id":"0001","name":{"first":"John","last":"Doe","display":"john.doe"},"email":["john.doe@gmail.com","john.doe@hotmail.com"],"phone":"1234567890"}`) {
		t.Error("the sample of issue 3 §5.3 is not on the page")
	}
}
